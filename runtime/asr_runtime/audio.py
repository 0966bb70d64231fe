"""Reading audio files: WAV, FLAC, Ogg Vorbis, Ogg Opus and MP3, through libsndfile."""

import io
import os
from collections.abc import Iterator
from contextlib import closing
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from asr_runtime.errors import AudioFileError
from asr_runtime.integrity import find_truncation, with_wav_size

READABLE = "WAV, FLAC, Ogg, Opus or MP3"

_BLOCK_SAMPLES = 1 << 17
# libsndfile's count for a file whose header leaves the length open.
_UNKNOWN_FRAMES = np.iinfo(np.int64).max


def read_audio(
    source: str | os.PathLike[str] | BinaryIO,
) -> tuple[npt.NDArray[np.float32], int]:
    """Read a whole file as mono samples [samples], -1..1, and its sample rate in Hz.

    source: a path, or a binary stream such as standard input, which is read to its end.

    Channels are averaged block by block, so memory holds one channel. Raises AudioFileError if the
    source cannot be opened, is empty, is no audio, or is damaged or cut off (see `integrity` for
    what can be noticed), with the path as its subject.
    """
    subject = os.fspath(source) if isinstance(source, (str, os.PathLike)) else None
    try:
        if isinstance(source, (str, os.PathLike)):
            with open_audio(source) as file:
                return _decode(_seekable(file))
        # Not from where a stream happens to stand: its beginning may be gone.
        return _decode(io.BytesIO(source.read()))
    except AudioFileError as error:
        error.subject = subject
        raise
    except OSError as error:
        problem = f"cannot be read ({error.strerror or error}); check the device"
        raise AudioFileError(problem, subject) from None


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


def _seekable(file: BinaryIO) -> BinaryIO:
    """The file, or all its bytes where it is a pipe: both checks and decoders go back and forth."""
    return file if file.seekable() else io.BytesIO(file.read())


def _decode(file: BinaryIO) -> tuple[npt.NDArray[np.float32], int]:
    if not file.read(1):
        raise AudioFileError(f"is empty; give a {READABLE} file")
    file.seek(0)
    # Before libsndfile sees it: its MP3 decoder writes complaints of its own to the terminal.
    missing = find_truncation(file)
    if missing is not None:
        raise AudioFileError(f"is cut off or damaged ({missing}); copy or record it again")
    soundfile = _import_soundfile()
    try:
        sound = soundfile.SoundFile(_Unnamed(with_wav_size(file)))
    except soundfile.LibsndfileError as error:
        raise AudioFileError(
            f"is not audio that can be read ({error.error_string.rstrip('.')}); "
            f"give a {READABLE} file"
        ) from None
    # soundfile seeks after every read to update its position, which fails at the end of a FLAC file
    # of unknown length. Reading forward needs no such thing.
    sound.seekable = lambda: False
    with closing(sound):
        blocks = list(_mono_blocks(soundfile, sound))
        frames = sum(map(len, blocks))
        # Others give an estimate (MP3) or count what is there (WAV, Ogg).
        if sound.format == "FLAC" and frames < sound.frames < _UNKNOWN_FRAMES:
            raise _cut_off(frames, sound)
        samples = np.concatenate(blocks) if blocks else np.zeros(0, np.float32)
        return samples, int(sound.samplerate)


def _mono_blocks(soundfile: Any, sound: Any) -> Iterator[npt.NDArray[np.float32]]:
    frames = 0
    # Of a file with a thousand channels, a block is as large as of one with one.
    block_frames = max(_BLOCK_SAMPLES // sound.channels, 1)
    while True:
        try:
            block = sound.read(block_frames, dtype="float32", always_2d=True)
        except soundfile.LibsndfileError:
            raise _cut_off(frames, sound) from None
        if not len(block):
            return
        frames += len(block)
        yield block[:, 0].copy() if block.shape[1] == 1 else block.mean(axis=1)


def _cut_off(frames: int, sound: Any) -> AudioFileError:
    where = f"decoding stops after {frames / sound.samplerate:.2f} s"
    if sound.frames < _UNKNOWN_FRAMES:
        where += f" of {sound.frames / sound.samplerate:.2f} s"
    return AudioFileError(f"is cut off or damaged ({where}); copy or record it again")


def _import_soundfile() -> Any:
    try:
        import soundfile  # type: ignore[import-untyped, unused-ignore]
    except OSError as error:
        # Its wheels bring libsndfile; the pure-Python one for other machines does not.
        raise AudioFileError(
            f"cannot be read, for libsndfile is missing ({error}); install your system's libsndfile"
        ) from None
    return soundfile


class _Unnamed:
    """A binary file without its name, from which soundfile would guess a format for ``.raw``."""

    def __init__(self, file: BinaryIO) -> None:
        self.read = file.read
        self.seek = file.seek
        self.tell = file.tell
