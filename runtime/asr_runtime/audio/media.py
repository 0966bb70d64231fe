"""Sound of videos, phones and browsers, through ffmpeg or, where there is none, PyAV.

ffmpeg is a program on the PATH; PyAV is the extra ``media``. Neither makes a temporary file, and a
block of audio is in memory at a time. Nothing is fetched: ffmpeg may read files and pipes only.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from typing import Any, BinaryIO, Protocol

import numpy as np

from asr_runtime.audio.file_kind import CONVERT
from asr_runtime.audio.samples import Frames
from asr_runtime.audio.sound_file import DamagedAudioError
from asr_runtime.audio.wav_stream import ByteStream, WavReader
from asr_runtime.errors import AudioFileError

STALL_SECONDS = 60.0
"""A file that gives no audio for so long is given up."""

_READ_BYTES = 1 << 16
_MOST_MESSAGES = 20
_GAP_SECONDS = 0.1  # between packets, that is filled with silence


class MediaDecoder(Protocol):
    """Decodes the first audio stream of a file or a pipe."""

    @property
    def sample_rate(self) -> float:
        """Hz."""

    @property
    def channels(self) -> int:
        """Number of channels."""

    def blocks(self) -> Iterator[tuple[float, Frames]]:
        """Yield the sample rate in Hz and samples [samples, channels], once.

        Raises:
            DamagedAudioError: The file is cut off or damaged.
        """

    def close(self) -> None:
        """Stop decoding."""


def has_media_decoder() -> bool:
    """Whether ffmpeg or PyAV is here."""
    return shutil.which("ffmpeg") is not None or importlib.util.find_spec("av") is not None


def open_media(
    source: str | os.PathLike[str] | BinaryIO,
    name: str,
    *,
    begin: bytes = b"",
    stall_seconds: float | None = STALL_SECONDS,
) -> MediaDecoder:
    """Open a file that libsndfile cannot read.

    Args:
        source: a path, or a stream that is read to its end.
        name: the kind of file, for people.
        begin: bytes that were already taken from a stream.
        stall_seconds: when to give up; None for a stream that may pause.

    Raises:
        AudioFileError: Neither ffmpeg nor PyAV is here, or it cannot read the file.
    """
    program = shutil.which("ffmpeg")
    if program is not None:
        return FfmpegDecoder(program, source, name, begin, stall_seconds)
    if importlib.util.find_spec("av") is None:
        raise no_media_decoder(name)
    return AvDecoder(source, name, begin)


def no_media_decoder(name: str) -> AudioFileError:
    """Return the error for a kind of file that neither libsndfile nor anything else here reads."""
    return AudioFileError(
        f"is {name}, which takes ffmpeg to read; install ffmpeg (on Debian: sudo apt install "
        f"ffmpeg), or: pip install 'asr-runtime[media]', or convert it: {CONVERT}"
    )


def holds_several(file: BinaryIO, name: str) -> bool:
    """Whether a seekable file is several of its kind, one appended to the other.

    ffmpeg and players stop at the end of the first one, without a word.
    """
    watch = _JoinWatch(name)
    file.seek(0)
    while data := file.read(_SEARCH_BYTES):
        if watch.found(data):
            return True
    return False


class _JoinWatch:
    """Looks for the beginning of another file within the bytes of one."""

    def __init__(self, name: str) -> None:
        # MP4 and its kin share a beginning; the names tell who made them.
        self._anchor, self._pattern = _BEGINNINGS.get(name, _MP4_BEGINNING)
        if name not in _BEGINNINGS and name not in _MP4_NAMES:
            self._anchor = b""
        self._tail = b""
        self._is_first = True

    def found(self, data: bytes) -> bool:
        """Look at the next bytes."""
        if not self._anchor:
            return False
        # Of the first file's own beginning the search leaves out the first bytes.
        window = self._tail + data
        at = window.find(self._anchor, len(self._anchor) + 8 if self._is_first else 0)
        while at >= 0:
            if self._pattern.match(window, max(at - 4, 0)):
                return True
            at = window.find(self._anchor, at + 1)
        self._is_first = False
        self._tail = window[-_BEGINNING_BYTES:]
        return False


_BEGINNING_BYTES = 64
_SEARCH_BYTES = 1 << 20
_MP4_NAMES = frozenset({"M4A (AAC)", "QuickTime", "3GP", "MP4"})
_MP4_BEGINNING = (b"ftyp", re.compile(rb"\0\0[\0-\3].ftyp[ -~]{4}", re.DOTALL))
_BEGINNINGS = {
    "WebM or Matroska": (
        b"\x1aE\xdf\xa3",
        re.compile(rb".{4}\x1aE\xdf\xa3.{1,40}B\x82.{1,8}(?:webm|matroska)", re.DOTALL),
    ),
    "WMA or ASF": (
        b"0&\xb2u\x8ef\xcf\x11\xa6\xd9\0\xaa\0b\xcel",
        re.compile(rb".{4}0&\xb2u\x8ef\xcf\x11\xa6\xd9\0\xaa\0b\xcel", re.DOTALL),
    ),
    "Flash video": (b"FLV\x01", re.compile(rb".{4}FLV\x01[\0-\5]\0\0\0\x09", re.DOTALL)),
    "True Audio": (b"TTA1", re.compile(rb".{4}TTA1[\1\2]\0", re.DOTALL)),
}


class FfmpegDecoder:
    """Runs ffmpeg, which writes WAV to a pipe.

    Args:
        program: path of ffmpeg.
        source, name, begin, stall_seconds: see `open_media`.

    Raises:
        AudioFileError: ffmpeg does not start or cannot read the file.
    """

    def __init__(
        self,
        program: str,
        source: str | os.PathLike[str] | BinaryIO,
        name: str,
        begin: bytes,
        stall_seconds: float | None,
    ) -> None:
        self._name = name
        self._stall_seconds = stall_seconds
        self._stalled = False
        self._messages: list[str] = []
        descriptor: int | None = None
        fed = False
        if isinstance(source, (str, os.PathLike)):
            place = "file:" + os.path.abspath(os.fspath(source))
        else:
            descriptor = _file_descriptor(source, begin)
            fed = descriptor is None
            place = "pipe:0" if fed else f"/dev/fd/{descriptor}"
        # Silence where packets are missing, so that times stay true.
        command = [
            *(program, "-nostdin", "-hide_banner", "-loglevel", "error"),
            *("-protocol_whitelist", "file,pipe,fd", "-i", place, "-map", "0:a:0"),
            *("-af", "aresample=async=1:first_pts=0", "-c:a", "pcm_f32le", "-f", "wav", "pipe:1"),
        ]
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE if fed else subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                bufsize=0,
                pass_fds=() if descriptor is None else (descriptor,),
            )
        except OSError as error:
            raise AudioFileError(
                f"is {name}, and ffmpeg does not start ({error.strerror or error}); "
                "check its installation"
            ) from None
        self._threads = [threading.Thread(target=self._listen, daemon=True)]
        if fed:
            feed = threading.Thread(target=self._feed, args=(source, begin), daemon=True)
            self._threads.append(feed)
        for thread in self._threads:
            thread.start()
        try:
            self._reader = WavReader(ByteStream(self, _READ_BYTES))
        except AudioFileError:
            # ffmpeg wrote no header, and says why.
            self._finish(is_header=True)
            raise AudioFileError(f"is {name} that ffmpeg cannot read; {_CHECK}") from None
        except BaseException:
            self.close()
            raise
        self.sample_rate = self._reader.format.sample_rate
        self.channels = self._reader.format.channels

    def read1(self, size: int = _READ_BYTES) -> bytes:
        """Return bytes of what ffmpeg writes, as soon as there are some; b"" at the end."""
        output = self._process.stdout
        assert output is not None
        if self._stall_seconds is None:
            return output.read(size) or b""
        timer = threading.Timer(self._stall_seconds, self._give_up)
        timer.daemon = True
        timer.start()
        try:
            return output.read(size) or b""
        finally:
            timer.cancel()

    def blocks(self) -> Iterator[tuple[float, Frames]]:
        """Yield the sample rate in Hz and samples [samples, channels], once.

        Raises:
            DamagedAudioError: ffmpeg found the file damaged or gave nothing for too long.
        """
        yield from self._reader.blocks()
        self._finish(is_header=False)

    def close(self) -> None:
        """Stop ffmpeg."""
        process = self._process
        if process.poll() is None:
            process.kill()
        process.wait()
        # The thread that feeds closes its pipe itself, because it may be writing.
        for pipe in (process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()

    def _feed(self, source: BinaryIO, begin: bytes) -> None:
        """Write a stream to ffmpeg, which ends when it has heard enough."""
        pipe = self._process.stdin
        assert pipe is not None
        read = getattr(source, "read1", source.read)
        watch = _JoinWatch(self._name)
        try:
            data = begin or read(_READ_BYTES)
            while data:
                if watch.found(data):
                    self._messages.append("several files were joined")
                view = memoryview(data)
                while view:
                    view = view[pipe.write(view) :]
                data = read(_READ_BYTES)
        except (OSError, ValueError) as error:
            if not isinstance(error, BrokenPipeError):
                self._messages.append(
                    f"reading failed: {getattr(error, 'strerror', None) or error}"
                )
        finally:
            with contextlib.suppress(OSError):
                pipe.close()

    def _listen(self) -> None:
        """Take what ffmpeg complains of, so that it never waits for a reader."""
        errors = self._process.stderr
        assert errors is not None
        try:
            rest = b""
            while data := errors.read(1 << 12):
                *lines, rest = (rest + data).split(b"\n")
                room = _MOST_MESSAGES - len(self._messages)
                self._messages += [line.decode(errors="replace") for line in lines[:room]]
        except (OSError, ValueError):
            pass  # it was closed

    def _give_up(self) -> None:
        self._stalled = True
        self._process.kill()

    def _finish(self, *, is_header: bool) -> None:
        """Wait for the end of ffmpeg, and raise what went wrong."""
        try:
            status = self._process.wait(self._stall_seconds)
        except subprocess.TimeoutExpired:
            self._give_up()
            status = self._process.wait()
        self._threads[0].join(5.0)
        self.close()
        if self._stalled:
            raise DamagedAudioError(f"ffmpeg gave no audio for {self._stall_seconds:g} s")
        messages = [re.sub(r"^(\[[^]]* @ [^]]*\] ?)+", "", line).strip() for line in self._messages]
        message = next(filter(None, messages), "")
        if is_header:
            reason = message or f"exit status {status}"
            raise AudioFileError(f"is {self._name} that ffmpeg cannot read ({reason}); {_CHECK}")
        if message or status:
            raise DamagedAudioError(f"ffmpeg: {message or f'exit status {status}'}")


class AvDecoder:
    """Decodes with PyAV.

    Args:
        source, name, begin: see `open_media`.

    Raises:
        AudioFileError: PyAV cannot read the file, or it has no sound.
    """

    def __init__(
        self, source: str | os.PathLike[str] | BinaryIO, name: str, begin: bytes = b""
    ) -> None:
        import av

        self._av = av
        self._container: Any = None
        file = source if isinstance(source, (str, os.PathLike)) else _Rest(source, begin)
        try:
            with _complaints(av):
                self._container = av.open(file, "r", metadata_errors="replace")
            streams = self._container.streams.audio
            if not streams:
                raise AudioFileError(f"is {name} without sound; {_CHECK}")
            self._stream = streams[0]
            self._packets = iter(self._container.demux(self._stream))
            self.sample_rate = float(self._stream.codec_context.sample_rate)
            self.channels = int(self._stream.codec_context.channels)
        except (av.FFmpegError, ValueError) as error:
            self.close()
            reason = getattr(error, "strerror", None) or error
            raise AudioFileError(f"is {name} that cannot be read ({reason}); {_CHECK}") from None
        except BaseException:
            self.close()
            raise

    def blocks(self) -> Iterator[tuple[float, Frames]]:
        """Yield the sample rate in Hz and samples [samples, channels], once.

        Raises:
            DamagedAudioError: The file is cut off or damaged.
        """
        av, stream = self._av, self._stream
        resampler = av.AudioResampler(format="flt")
        done = 0
        while True:
            with _complaints(av) as complaints:
                try:
                    packet = next(self._packets, None)
                    frames = [] if packet is None else packet.decode()
                except av.FFmpegError as error:
                    raise DamagedAudioError(error.strerror or str(error)) from None
            for frame in frames:
                rate = frame.sample_rate
                time = None if frame.pts is None else float(frame.pts * frame.time_base)
                if time is not None:
                    gap = round((time - float((stream.start_time or 0) * stream.time_base)) * rate)
                    if gap - done > _GAP_SECONDS * rate:
                        yield rate, np.zeros((gap - done, self.channels), np.float32)
                        done = gap
                for part in resampler.resample(frame):
                    samples = part.to_ndarray().reshape(-1, part.layout.nb_channels)
                    done += len(samples)
                    yield rate, samples
            for level, _, message in complaints:
                if level <= av.logging.ERROR:
                    raise DamagedAudioError(message.strip())
            if packet is None:
                break
        declared = self._container.duration
        if declared and declared / 1e6 - done / self.sample_rate > 1.0:
            raise DamagedAudioError(
                f"decoding stops after {done / self.sample_rate:.2f} s of {declared / 1e6:.2f} s"
            )

    def close(self) -> None:
        """Release the decoder."""
        if self._container is not None:
            self._container.close()


@contextlib.contextmanager
def _complaints(av: Any) -> Iterator[list[Any]]:
    """Collect what ffmpeg's libraries complain of, which they otherwise keep to themselves."""
    level = av.logging.get_level()
    av.logging.set_level(av.logging.ERROR)
    try:
        with av.logging.Capture() as messages:
            yield messages
    finally:
        av.logging.set_level(level)


_CHECK = "check whether it plays elsewhere"


class _Rest:
    """A stream whose first bytes were taken, in the way PyAV reads one."""

    def __init__(self, stream: BinaryIO, begin: bytes) -> None:
        self._stream = stream
        self._begin = begin
        if not begin and stream.seekable():
            self.seek = stream.seek
            self.tell = stream.tell

    def read(self, size: int) -> bytes:
        if self._begin:
            data, self._begin = self._begin[:size], self._begin[size:]
            return data
        read: Any = getattr(self._stream, "read1", self._stream.read)
        data = read(size)
        return bytes(data)


def _file_descriptor(source: Any, begin: bytes) -> int | None:
    """Return the number of an open file that ffmpeg can seek in, or None."""
    if begin or not os.path.isdir("/dev/fd"):
        return None
    try:
        descriptor = int(source.fileno())
        return descriptor if source.seekable() else None
    except (OSError, AttributeError, ValueError):
        return None
