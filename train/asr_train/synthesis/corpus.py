"""A corpus of synthetic speech: sentences drawn from a text, one FLAC file each, and a manifest."""

from __future__ import annotations

import json
import lzma
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from tqdm import tqdm

from asr_train.errors import DataError, OutputError
from asr_train.model.config import SAMPLE_RATE
from asr_train.model.vocabulary import foreign_characters
from asr_train.output import replacing
from asr_train.synthesis.engines import Speak

FILES_A_FOLDER = 1000


@dataclass(frozen=True)
class CorpusConfig:
    """What to make.

    Attributes:
        hours: of speech.
        seed: of the choice of sentences and voices.
        min_words: shorter lines are left out.
        max_words: longer lines are left out.
    """

    hours: float
    seed: int = 1
    min_words: int = 3
    max_words: int = 30


def read_sentences(path: Path, config: CorpusConfig) -> list[str]:
    """The lines of a text file (plain or .xz) that can be spoken and trained on.

    Raises:
        DataError: it cannot be read, or no line fits.
    """
    try:
        opener = lzma.open if path.suffix == ".xz" else open
        with opener(path, "rt", encoding="utf-8") as file:
            lines = [line.strip() for line in file]
    except (OSError, UnicodeDecodeError, lzma.LZMAError) as error:
        raise DataError(f"{path}: cannot read the text: {error}") from None
    fitting = [
        line
        for line in lines
        if config.min_words <= len(line.split()) <= config.max_words
        and not foreign_characters(line)
    ]
    if not fitting:
        raise DataError(
            f"{path}: no line has {config.min_words} to {config.max_words} words of a-z and '"
        )
    return fitting


def make_corpus(
    sentences: Sequence[str], speak: Speak, name: str, out: Path, config: CorpusConfig
) -> Path:
    """Speak sentences into ``out`` until there are ``config.hours``; go on where it stopped.

    Args:
        sentences: to draw from, none twice until all are used.
        speak: the engine.
        name: of the engine, for file names.
        out: folder; gets ``<name>/…/*.flac`` and ``<name>.jsonl``.
        config: how much.

    Returns:
        The manifest.

    Raises:
        OutputError: the folder cannot be written.
    """
    order = np.random.default_rng(config.seed).permutation(len(sentences))
    manifest = out / f"{name}.jsonl"
    rows = []
    seconds, index = 0.0, 0
    target = config.hours * 3600.0
    with tqdm(total=round(target), desc=f"speaking ({name})", unit="s") as bar:
        while seconds < target:
            text = sentences[order[index % len(order)]]
            rng = np.random.default_rng((config.seed, index))
            file = out / name / f"{index // FILES_A_FOLDER:03d}" / f"{index:06d}.flac"
            voice = _speak_into(file, text, speak, rng)
            index += 1
            if voice is None:
                continue
            duration = soundfile.info(file).duration
            rows.append(
                {
                    "audio_filepath": str(file.relative_to(out)),
                    "duration": round(duration, 3),
                    "text": text,
                    "speaker": voice,
                }
            )
            seconds += duration
            bar.update(round(duration))
    with replacing(manifest) as partial:
        partial.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return manifest


def _speak_into(file: Path, text: str, speak: Speak, rng: np.random.Generator) -> str | None:
    """The voice's name, or None where the engine had nothing to say; an existing file is kept."""
    note = file.with_suffix(".voice")
    if note.exists() and file.exists():
        return note.read_text()
    samples, voice = speak(text, rng)
    if not len(samples):
        return None
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        peak = max(float(np.abs(samples).max()), 1e-9)
        soundfile.write(file, samples * min(1.0, 0.9 / peak), SAMPLE_RATE)
        note.write_text(voice)
    except (OSError, soundfile.LibsndfileError) as error:
        raise OutputError(f"cannot write {file}: {error}") from None
    return voice
