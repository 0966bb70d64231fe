"""Decoded training audio: straight from the files, or decoded once into one memory-mapped array."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from asr_runtime.audio.audio_reader import read_audio
from asr_runtime.audio.waveform import to_waveform
from asr_runtime.errors import AudioContentError, AudioFileError
from asr_runtime.inference.cpus import usable_cpus
from asr_train.data.manifest import Utterance
from asr_train.errors import DataError, OutputError
from asr_train.model.config import SAMPLE_RATE

Samples = npt.NDArray[np.float32]

#: Utterances decoded before the first of them is written.
DECODED_AHEAD = 512


class AudioStore(Protocol):
    """Samples of utterances by their place in the list the store was made for."""

    def __getitem__(self, index: int, /) -> Samples:
        """float32 [samples], 16 kHz mono."""
        ...


def decode(utterance: Utterance) -> Samples:
    """Read an utterance as the runtime does: what it refuses is refused.

    Returns:
        float32 [samples] at 16 kHz, channels mixed, faint speech amplified.

    Raises:
        DataError: The audio cannot be used; the message names the row.
    """
    try:
        return to_waveform(*read_audio(utterance.audio), SAMPLE_RATE).samples
    except AudioFileError as error:
        problem = f"cannot decode {utterance.audio}: {error.problem}"
        raise DataError(f"{utterance.origin}: {problem}") from None
    except AudioContentError as error:
        problem = f"cannot use {utterance.audio}: {error.problem}"
        raise DataError(f"{utterance.origin}: {problem}") from None


class FileStore:
    """Decodes at every access."""

    def __init__(self, utterances: Sequence[Utterance]) -> None:
        self._utterances = utterances

    def __getitem__(self, index: int, /) -> Samples:
        """float32 [samples], 16 kHz mono; ``DataError`` names the row."""
        return decode(self._utterances[index])


class CachedStore:
    """All audio as int16 in one file of a cache folder, read through a memory map.

    An utterance that occurs several times, to weigh more in training, is held once. The file's
    name follows from the list of files, their sizes and times, so that changed data make a new one.
    """

    def __init__(self, utterances: Sequence[Utterance], folder: Path) -> None:
        places: dict[Path, int] = {}
        self._places = [places.setdefault(row.audio, len(places)) for row in utterances]
        unique = list({row.audio: row for row in reversed(utterances)}.values())
        unique.sort(key=lambda row: places[row.audio])
        self._path = folder / f"audio-{_fingerprint(unique)}.i16"
        index_path = self._path.with_suffix(".json")
        if not index_path.exists():
            _build(unique, self._path, index_path)
        self._offsets: list[int] = json.loads(index_path.read_text())
        self._data: npt.NDArray[np.int16] | None = None

    @property
    def data(self) -> npt.NDArray[np.int16]:
        """All audio, one utterance after the other, int16 [samples]."""
        if self._data is None:  # opened late: every worker process maps the file for itself
            self._data = np.memmap(self._path, dtype=np.int16, mode="r")
        return self._data

    def span(self, index: int) -> tuple[int, int]:
        """Where utterance ``index`` starts and stops in ``data``."""
        place = self._places[index]
        return self._offsets[place], self._offsets[place + 1]

    def __getitem__(self, index: int, /) -> Samples:
        """float32 [samples], 16 kHz mono."""
        start, stop = self.span(index)
        return self.data[start:stop].astype(np.float32) / 32768.0


def _fingerprint(utterances: Sequence[Utterance]) -> str:
    digest = hashlib.sha256()
    for row in utterances:
        status = row.audio.stat()
        digest.update(f"{row.audio.resolve()}\0{status.st_size}\0{status.st_mtime_ns}\n".encode())
    return digest.hexdigest()[:16]


def _build(utterances: Sequence[Utterance], data_path: Path, index_path: Path) -> None:
    offsets = [0]
    partial = data_path.with_suffix(".partial")
    try:
        data_path.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("wb") as file:
            for samples in tqdm(
                _decode_all(utterances), desc="decoding audio", unit="file", total=len(utterances)
            ):
                file.write(samples.tobytes())
                offsets.append(offsets[-1] + samples.size)
        partial.replace(data_path)
        # The index comes last: where it is, the data is whole.
        index_path.write_text(json.dumps(offsets))
    except OSError as error:
        raise OutputError(f"cannot write the audio cache {data_path}: {error.strerror}") from None
    finally:
        partial.unlink(missing_ok=True)


def _decode_all(utterances: Sequence[Utterance]) -> Iterator[npt.NDArray[np.int16]]:
    """Audio as int16, in order; the decoders work outside Python, so threads share the CPUs."""
    with ThreadPoolExecutor(usable_cpus()) as pool:
        # Some at a time: what is decoded ahead of the file is held in memory.
        for start in range(0, len(utterances), DECODED_AHEAD):
            yield from pool.map(_decode_int16, utterances[start : start + DECODED_AHEAD])


def _decode_int16(row: Utterance) -> npt.NDArray[np.int16]:
    rounded: npt.NDArray[np.int16] = np.clip(np.rint(decode(row) * 32768.0), -32768, 32767).astype(
        "<i2"
    )
    return rounded
