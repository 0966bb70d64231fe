"""Sound that the program ffmpeg decodes, through a pipe."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import threading
from collections.abc import Iterator
from typing import Any, BinaryIO

from asr_runtime.audio.file_kind import CHECK
from asr_runtime.audio.joined_media import JoinWatch
from asr_runtime.audio.samples import Frames
from asr_runtime.audio.sound_file import DamagedAudioError
from asr_runtime.audio.wav_stream import ByteStream, WavReader
from asr_runtime.errors import AudioFileError

_READ_BYTES = 1 << 16
_MOST_MESSAGES = 20


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
            raise AudioFileError(f"is {name} that ffmpeg cannot read; {CHECK}") from None
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
        watch = JoinWatch(self._name)
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
            raise AudioFileError(f"is {self._name} that ffmpeg cannot read ({reason}); {CHECK}")
        if message or status:
            raise DamagedAudioError(f"ffmpeg: {message or f'exit status {status}'}")


def _file_descriptor(source: Any, begin: bytes) -> int | None:
    """Return the number of an open file that ffmpeg can seek in, or None."""
    if begin or not os.path.isdir("/dev/fd"):
        return None
    try:
        descriptor = int(source.fileno())
        return descriptor if source.seekable() else None
    except (OSError, AttributeError, ValueError):
        return None
