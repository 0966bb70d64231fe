"""The audio files that a command line means: names, folders and patterns."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from asr_runtime.errors import AudioFileError

STANDARD_INPUT = "-"

_ENDS = (
    "aac aif aiff amr au caf flac m4a m4b mka mkv mov mp3 mp4 mpga oga ogg opus rf64 w64 wav webm "
    "wma"
)
AUDIO_SUFFIXES = frozenset(f".{end}" for end in _ENDS.split())
"""How the names of audio files in a folder end; a file that is named itself may have any name."""


@dataclass(frozen=True)
class Input:
    """One file to transcribe.

    Attributes:
        file: Its path, or STANDARD_INPUT.
        stem: Path of what is written for it, in the output folder and without the suffix.
    """

    file: str
    stem: Path

    @property
    def bytes(self) -> int:
        """Size of the file, which is what is known of its length before it is opened; else 0."""
        try:
            return 0 if self.file == STANDARD_INPUT else os.stat(self.file).st_size
        except (OSError, ValueError):
            return 0


@dataclass(frozen=True)
class Job:
    """One file to transcribe.

    Attributes:
        index: Its number.
        file: Its path.
        destination: File to write; None if the result shall hold the output.
    """

    index: int
    file: str
    destination: Path | None = None


def find_inputs(
    names: Sequence[str], *, recursive: bool = False
) -> tuple[list[Input], list[AudioFileError]]:
    """Return the files that names stand for, in order.

    Args:
        names: Files, folders, patterns with ``*``, ``?`` or ``[…]``, or STANDARD_INPUT. A folder
            stands for the audio files in it, by their names' ends and in the order of the names.
        recursive: Whether a folder stands for those in the folders below it too.

    Returns:
        The files, and what is wrong with names that stand for none.
    """
    inputs: list[Input] = []
    problems: list[AudioFileError] = []
    for name in names:
        try:
            inputs += _expanded(name, recursive)
        except AudioFileError as error:
            problems.append(error)
    return inputs, problems


def _expanded(name: str, recursive: bool) -> list[Input]:
    if name == STANDARD_INPUT:
        return [Input(name, Path("stdin"))]
    if os.path.isdir(name):
        return _folder(name, recursive)
    # The shell resolves patterns, unless they are quoted or it is that of Windows.
    if glob.has_magic(name) and not os.path.exists(name):
        found = sorted(glob.glob(name, recursive=True))
        if not found:
            raise AudioFileError("no file has a name of this pattern; check it", name)
        return [
            each
            for path in found
            for each in (_folder(path, recursive) if os.path.isdir(path) else [_file(path)])
        ]
    return [_file(name)]


def _file(name: str) -> Input:
    return Input(name, Path(Path(name).stem or "audio"))


def _folder(name: str, recursive: bool) -> list[Input]:
    try:
        found = list(_audio_files(name, recursive))
    except OSError as error:
        raise AudioFileError(f"cannot be listed: {error.strerror}", name) from None
    if not found:
        advice = "check the path" if recursive else "check the path, or add --recursive"
        raise AudioFileError(f"is a folder without audio files; {advice}", name)
    return [Input(file, Path(os.path.relpath(file, name)).with_suffix("")) for file in found]


def _audio_files(folder: str, recursive: bool) -> Iterator[str]:
    """Yield the audio files of a folder; hidden ones and folders behind links are left out."""

    def fail(error: OSError) -> None:
        raise error

    for parent, folders, files in os.walk(folder, onerror=fail):
        folders[:] = sorted(each for each in folders if recursive and not each.startswith("."))
        for file in sorted(files):
            if not file.startswith(".") and os.path.splitext(file)[1].lower() in AUDIO_SUFFIXES:
                yield os.path.join(parent, file)
