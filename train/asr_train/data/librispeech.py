"""LibriSpeech (Panayotov et al. 2015) through ``torchaudio.datasets.LIBRISPEECH``."""

from __future__ import annotations

from pathlib import Path

from torchaudio.datasets import LIBRISPEECH

from asr_runtime.audio.audio_reader import AudioReader
from asr_runtime.errors import AsrRuntimeError
from asr_train.data.manifest import Utterance
from asr_train.errors import DataError


def read_librispeech(root: Path, subset: str, *, download: bool = False) -> list[Utterance]:
    """The utterances of a LibriSpeech subset under ``root/LibriSpeech/subset``.

    Raises:
        DataError: the folder or the subset is not there (and ``download`` is not set), or the
            download failed.
    """
    if not download and not (root / "LibriSpeech" / subset).is_dir():
        raise DataError(
            f"{root / 'LibriSpeech' / subset} is not there; give the folder that holds "
            "'LibriSpeech', or --download to fetch it"
        )
    try:
        if download:
            root.mkdir(parents=True, exist_ok=True)
        dataset = LIBRISPEECH(root, url=subset, download=download)
    except (OSError, RuntimeError, ValueError) as error:
        message = str(error).splitlines()[0]
        raise DataError(f"LibriSpeech {subset} under {root}: {message}") from error
    if len(dataset) == 0:
        raise DataError(f"{root / 'LibriSpeech' / subset} holds no utterances")
    rows = []
    for index in range(len(dataset)):
        relative, _, text, speaker, *_ = dataset.get_metadata(index)
        audio = root / "LibriSpeech" / relative
        try:
            with AudioReader(audio) as reader:
                duration = reader.duration
        except AsrRuntimeError as error:
            raise DataError(f"{audio}: cannot read the audio: {error.problem}") from None
        if duration is None:
            raise DataError(f"{audio}: does not say how long it is; copy it again")
        rows.append(Utterance(audio, duration, text.lower(), str(speaker), audio.stem))
    return rows
