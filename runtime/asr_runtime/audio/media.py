"""Sound of videos, phones and browsers, through ffmpeg or, where there is none, PyAV.

ffmpeg is a program on the PATH; PyAV is the extra ``media``. Neither makes a temporary file, and a
block of audio is in memory at a time. Nothing is fetched: ffmpeg may read files and pipes only.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import Iterator
from typing import BinaryIO, Protocol

from asr_runtime.audio.ffmpeg_decoder import FfmpegDecoder
from asr_runtime.audio.file_kind import CONVERT
from asr_runtime.audio.pyav_decoder import AvDecoder
from asr_runtime.audio.samples import Frames
from asr_runtime.errors import AudioFileError

STALL_SECONDS = 60.0
"""A file that gives no audio for so long is given up."""


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
