"""An audio file read in blocks, so that memory does not grow with its length."""

import errno
import io
import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from types import TracebackType
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from asr_runtime.audio.integrity import find_truncation
from asr_runtime.audio.wav_header import with_wav_size
from asr_runtime.errors import AudioFileError

READABLE = "WAV, FLAC, Ogg, Opus or MP3"

_BLOCK_SAMPLES = 1 << 17
_MOST_IN_MEMORY = 4 << 20  # bytes of a stream that cannot be rewound; more goes to a file
# libsndfile's count for a file whose header leaves the length open.
_UNKNOWN_FRAMES = np.iinfo(np.int64).max


class AudioReader:
    """An open audio file. `sample_rate` is in Hz.

    `duration` is its length in seconds as far as the file says it, else None. It tells how far
    reading has come; of an MP3 it may be an estimate.

    source: a path, or a binary stream such as standard input, which is read to its end. What cannot
        be rewound is copied to a temporary file if it is large.

    Raises AudioFileError if the source cannot be opened, is empty, is no audio, or is known to be
    cut off (see `integrity` for what can be noticed), with the path as its subject. `blocks` raises
    it for what shows during decoding.
    """

    def __init__(self, source: str | os.PathLike[str] | BinaryIO) -> None:
        self._subject = os.fspath(source) if isinstance(source, (str, os.PathLike)) else None
        self._resources = ExitStack()
        with self._naming_errors():
            try:
                if isinstance(source, (str, os.PathLike)):
                    file = self._resources.enter_context(open_audio(source))
                    self._file = file if file.seekable() else self._spooled(file)
                else:
                    # Not from where a stream happens to stand: its beginning may be gone.
                    self._file = self._spooled(source)
                self._start()
            except BaseException:
                self.close()
                raise

    def _start(self) -> None:
        file = self._file
        if not file.read(1):
            raise AudioFileError(f"is empty; give a {READABLE} file")
        file.seek(0)
        # Before libsndfile sees it: its MP3 decoder writes complaints of its own to the terminal.
        missing = find_truncation(file)
        if missing is not None:
            raise AudioFileError(f"is cut off or damaged ({missing}); copy or record it again")
        self._file = with_wav_size(file)
        self._sound = self._decoder()
        self.sample_rate = int(self._sound.samplerate)
        frames = self._sound.frames
        known = 0 < frames < _UNKNOWN_FRAMES
        self.duration = frames / self.sample_rate if known else None
        if self._sound.format == "FLAC" and known and not _has_frame(self._sound, frames - 1):
            # Cut off, in all likelihood. Say so now, and not when hours have been transcribed.
            for _ in self.blocks():
                pass
        # What looked for the last frame, or found it missing, is not what reads from the first.
        self._sound = self._decoder()

    def blocks(self) -> Iterator[npt.NDArray[np.float32]]:
        """The samples from the first to the last, once: mono [samples], -1..1.

        Channels are averaged. Raises AudioFileError if decoding stops before the end.
        """
        with self._naming_errors():
            sound = self._sound
            frames = 0
            # Of a file with a thousand channels, a block is as large as of one with one.
            block_frames = max(_BLOCK_SAMPLES // sound.channels, 1)
            while True:
                try:
                    block = sound.read(block_frames, dtype="float32", always_2d=True)
                except _soundfile().LibsndfileError:
                    raise _cut_off(frames, sound) from None
                if not len(block):
                    break
                frames += len(block)
                yield block[:, 0].copy() if block.shape[1] == 1 else block.mean(axis=1)
            # Others give an estimate (MP3) or count what is there (WAV, Ogg).
            if sound.format == "FLAC" and frames < sound.frames < _UNKNOWN_FRAMES:
                raise _cut_off(frames, sound)

    def close(self) -> None:
        """Close the file, and delete the copy if one was made."""
        self._resources.close()

    def __enter__(self) -> "AudioReader":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _decoder(self) -> Any:
        soundfile = _soundfile()
        self._file.seek(0)
        try:
            sound = soundfile.SoundFile(_Unnamed(self._file))
        except soundfile.LibsndfileError as error:
            raise AudioFileError(
                f"is not audio that can be read ({error.error_string.rstrip('.')}); "
                f"give a {READABLE} file"
            ) from None
        self._resources.callback(sound.close)
        # soundfile seeks after every read to update its position, which fails at the end of a FLAC
        # file of unknown length. Reading forward needs no such thing.
        sound.seekable = lambda: False
        return sound

    def _spooled(self, stream: BinaryIO) -> BinaryIO:
        """All bytes of a stream: both checks and decoders go back and forth."""
        content = io.BytesIO()
        while content.tell() <= _MOST_IN_MEMORY:
            part = stream.read(_MOST_IN_MEMORY)
            if not part:
                content.seek(0)
                return content
            content.write(part)
        try:
            file = self._resources.enter_context(tempfile.TemporaryFile())  # noqa: SIM115
            file.write(content.getbuffer())
        except OSError as error:
            raise _no_room(error) from None
        while part := stream.read(_MOST_IN_MEMORY):
            try:
                file.write(part)
                file.flush()
            except OSError as error:
                raise _no_room(error) from None
        file.seek(0)
        return file

    @contextmanager
    def _naming_errors(self) -> Iterator[None]:
        try:
            yield
        except AudioFileError as error:
            error.subject = self._subject
            raise
        except OSError as error:
            problem = f"cannot be read ({error.strerror or error}); check the device"
            raise AudioFileError(problem, self._subject) from None


def open_audio(path: str | os.PathLike[str]) -> BinaryIO:
    """The file or named pipe, to be read from its start; AudioFileError if it cannot be opened."""
    if os.path.isdir(path):
        raise AudioFileError("is a directory; give an audio file")
    try:
        return open(path, "rb")
    except FileNotFoundError:
        raise AudioFileError("there is no such file; check the path") from None
    except PermissionError:
        raise AudioFileError("may not be read; change its permissions") from None
    except (OSError, ValueError) as error:  # ValueError: a NUL character in the path
        reason = getattr(error, "strerror", None) or error
        raise AudioFileError(f"cannot be opened ({reason}); check the path") from None


def _has_frame(sound: Any, frame: int) -> bool:
    try:
        sound.seek(frame)
        return len(sound.read(1, dtype="float32")) == 1
    except _soundfile().LibsndfileError:
        return False


def _cut_off(frames: int, sound: Any) -> AudioFileError:
    where = f"decoding stops after {frames / sound.samplerate:.2f} s"
    if sound.frames < _UNKNOWN_FRAMES:
        where += f" of {sound.frames / sound.samplerate:.2f} s"
    return AudioFileError(f"is cut off or damaged ({where}); copy or record it again")


def _no_room(error: OSError) -> AudioFileError:
    return AudioFileError(
        f"cannot be copied to a temporary file ({error.strerror or error}); "
        "make room there, or let TMPDIR name a folder that has some"
    )


def _soundfile() -> Any:
    try:
        import soundfile  # type: ignore[import-untyped, unused-ignore]
    except OSError as error:
        # Its wheels bring libsndfile; the pure-Python one for other machines does not.
        raise AudioFileError(
            f"cannot be read, for libsndfile is missing ({error}); install your system's libsndfile"
        ) from None
    return soundfile


class _Unnamed:
    """A binary file without its name, from which soundfile would guess a format for ``.raw``.

    A damaged size sends libsndfile to impossible places. It finds out by where it then is; an error
    would be printed by what calls us.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.read = file.read
        self.tell = file.tell

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        try:
            return self._file.seek(offset, whence)
        except OSError as error:
            if error.errno != errno.EINVAL:
                raise
            return self._file.tell()
