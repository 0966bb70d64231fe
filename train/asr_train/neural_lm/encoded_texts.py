"""Texts as rows of words in files, 2 bytes a word, so that they are read only once."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from asr_train.data.text import CorpusReport, read_blocks, total_bytes
from asr_train.errors import DataError
from asr_train.neural_lm.known_words import KnownWords
from asr_train.neural_lm.network import FIRST_ROW, SENTENCE_ROW, UNKNOWN_ROW
from asr_train.ngram.encoded_text import read_ahead
from asr_train.ngram.vocabulary import SENTENCE_END, split_words
from asr_train.output import replacing

_DESCRIPTION = "texts.json"


@dataclass(frozen=True)
class EncodedTexts:
    """The texts of a run.

    Attributes:
        names: Of the files that they are from.
        rows: Of each text, the rows of its words, SENTENCE_ROW before and after each sentence;
            uint16 [words], mapped files.
        unknown: Of each text, the share of its words that have no row of their own.
    """

    names: list[str]
    rows: list[npt.NDArray[np.uint16]]
    unknown: list[float]


def encode_texts(paths: Sequence[Path], known: KnownWords, folder: Path) -> EncodedTexts:
    """Write texts into a run's folder.

    Args:
        paths: Files as `read_blocks` reads them.
        known: The words that have rows.
        folder: The folder; it exists.

    Returns:
        The texts.

    Raises:
        DataError: A text cannot be read.
        OutputError: A file cannot be written.
    """
    # Whatever goes wrong, what is half written must not be taken for a run's texts.
    (folder / _DESCRIPTION).unlink(missing_ok=True)
    row_of = {word.encode(): row for row, word in enumerate(known.words, FIRST_ROW)}
    row_of[SENTENCE_END] = SENTENCE_ROW
    unknown = []
    with tqdm(total=total_bytes(list(paths)), unit="B", unit_scale=True, disable=None) as bar:
        for index, path in enumerate(paths):
            bar.set_description(f"reading {path.name}")
            with replacing(_text_file(folder, index)) as partial:
                unknown.append(_encode(path, row_of, partial, bar))
    names = [path.name for path in paths]
    description = {"names": names, "unknown": unknown, "words": list(known.words)}
    with replacing(folder / _DESCRIPTION) as partial:
        partial.write_text(json.dumps(description) + "\n", encoding="utf-8")
    return _open(folder, names, unknown)


def load_texts(folder: Path, known: KnownWords, paths: Sequence[Path]) -> EncodedTexts | None:
    """Read what `encode_texts` wrote.

    Args:
        folder: A run's folder.
        known: The words that must have rows.
        paths: The files that they must be from; only their names are looked at.

    Returns:
        The texts, or None if the folder has none.

    Raises:
        DataError: The files are damaged, or of other words or texts.
    """
    if not (folder / _DESCRIPTION).exists():
        return None
    try:
        found = json.loads((folder / _DESCRIPTION).read_text(encoding="utf-8"))
        texts = _open(folder, found["names"], found["unknown"])
        words = found["words"]
    except (ValueError, KeyError, TypeError, OSError) as error:
        raise DataError(f"{folder}: the encoded texts are damaged ({error}); delete them") from None
    if words != list(known.words):
        raise DataError(
            f"{folder}: its texts were encoded with other words; give the same --base and "
            "--vocabulary, or start without --resume"
        )
    if texts.names != [path.name for path in paths]:
        raise DataError(
            f"{folder} was begun with other texts ({', '.join(texts.names)}); give the same, or "
            "start without --resume"
        )
    return texts


def _encode(path: Path, row_of: dict[bytes, int], out: Path, bar: tqdm[None]) -> float:
    """Write one text, and return the share of its words that are unknown."""
    get, report, unknown = row_of.get, CorpusReport(), 0
    sentence = np.array([SENTENCE_ROW], np.uint16)
    before = sentence
    with out.open("wb") as file:
        before.tofile(file)
        for block in read_ahead(read_blocks([path], report, bar.update)):
            words = split_words(block)
            rows = np.fromiter((get(word, UNKNOWN_ROW) for word in words), np.uint16, len(words))
            unknown += int(np.count_nonzero(rows == UNKNOWN_ROW))
            # Without empty sentences.
            joined = np.concatenate([before, rows])
            kept = rows[(rows != SENTENCE_ROW) | (joined[:-1] != SENTENCE_ROW)]
            kept.tofile(file)
            before = joined[-1:]
    return unknown / report.words


def _open(folder: Path, names: list[str], unknown: list[float]) -> EncodedTexts:
    files = [_text_file(folder, index) for index in range(len(names))]
    return EncodedTexts(names, [np.memmap(file, np.uint16, "r") for file in files], unknown)


def _text_file(folder: Path, index: int) -> Path:
    return folder / f"text{index}.rows"
