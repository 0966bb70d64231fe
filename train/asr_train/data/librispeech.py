"""LibriSpeech (Panayotov et al. 2015) as it lies on a disk; torchaudio fetches it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from asr_runtime.audio.audio_reader import AudioReader
from asr_runtime.errors import AsrRuntimeError
from asr_train.data.manifest import Utterance
from asr_train.errors import DataError


def read_librispeech(root: Path, subset: str, *, download: bool = False) -> list[Utterance]:
    """The utterances of a LibriSpeech subset under ``root/LibriSpeech/subset``.

    Raises:
        DataError: the folder or the subset is not there (and ``download`` is not set), the download
            failed, or audio and transcripts do not belong together.
    """
    if not download and not (root / "LibriSpeech" / subset).is_dir():
        raise DataError(
            f"{root / 'LibriSpeech' / subset} is not there; give the folder that holds "
            "'LibriSpeech', or --download to fetch it"
        )
    folder = root / "LibriSpeech" / subset
    if download:
        _download(root, subset)
    rows = [row for file in sorted(folder.rglob("*.trans.txt")) for row in _chapter(file)]
    if not rows:
        raise DataError(f"{folder} holds no utterances")
    transcribed = {row.audio for row in rows}
    for audio in sorted(folder.rglob("*.flac")):
        # Hidden files are what a Mac leaves beside others.
        if audio not in transcribed and not audio.name.startswith("."):
            raise DataError(f"{audio}: has no transcript; unpack LibriSpeech's archive again")
    return rows


def _download(root: Path, subset: str) -> None:
    from torchaudio.datasets import LIBRISPEECH

    try:
        root.mkdir(parents=True, exist_ok=True)
        LIBRISPEECH(root, url=subset, download=True)
    except (OSError, RuntimeError, ValueError) as error:
        message = str(error).splitlines()[0]
        raise DataError(f"LibriSpeech {subset} under {root}: {message}") from error


def _chapter(transcripts: Path) -> Iterator[Utterance]:
    """The utterances of a chapter: a line each, its audio's name and what is said."""
    if transcripts.name.startswith("."):
        return
    try:
        lines = transcripts.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{transcripts}: cannot be read: {error}") from None
    for line in filter(str.strip, lines):
        name, _, text = line.strip().partition(" ")
        audio = transcripts.parent / f"{name}.flac"
        if not audio.is_file():
            raise DataError(
                f"{transcripts}: {audio.name} is not there; unpack LibriSpeech's archive again"
            )
        try:
            with AudioReader(audio) as reader:
                duration = reader.duration
        except AsrRuntimeError as error:
            raise DataError(f"{audio}: cannot read the audio: {error.problem}") from None
        if duration is None:
            raise DataError(f"{audio}: does not say how long it is; copy it again")
        yield Utterance(audio, duration, text.lower(), name.partition("-")[0], name)
