"""What a training run of a punctuation model keeps: its prepared text and its words."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from asr_runtime.readable_text.hashed_words import HashedWords
from asr_runtime.readable_text.word_table import WordTable
from asr_train.errors import DataError
from asr_train.output import replacing
from asr_train.punctuation.encoding import EncodedText

_TEXT, _WORDS = "text.npz", "words.json"
CHECKPOINT = "training.pt"


@dataclass(frozen=True)
class PreparedText:
    """A text ready to learn from.

    Attributes:
        text: Its words as rows of the table.
        table: The words that the model knows.
        books: How many books it is of.
    """

    text: EncodedText
    table: WordTable
    books: int


def save_prepared(folder: Path, prepared: PreparedText) -> None:
    """Write a prepared text into a run's folder.

    Args:
        folder: The folder; it exists.
        prepared: What to write.
    """
    text = prepared.text
    with replacing(folder / _TEXT) as partial, partial.open("wb") as file:
        np.savez_compressed(
            file,
            rows=text.rows,
            signs=text.signs,
            cases=text.cases,
            unknown_rows=text.unknown_rows,
        )
    words = {
        "words": prepared.table.words,
        "names": prepared.table.names,
        "rare": prepared.table.rare.to_text(),
        "books": prepared.books,
    }
    with replacing(folder / _WORDS) as partial:
        partial.write_text(json.dumps(words) + "\n", encoding="utf-8")


def load_prepared(folder: Path) -> PreparedText | None:
    """Read what `save_prepared` wrote.

    Args:
        folder: A run's folder.

    Returns:
        The text, or None if the folder has none.

    Raises:
        DataError: The files are damaged.
    """
    if not (folder / _TEXT).exists() or not (folder / _WORDS).exists():
        return None
    try:
        words = json.loads((folder / _WORDS).read_text(encoding="utf-8"))
        with np.load(folder / _TEXT) as arrays:
            text = EncodedText(
                arrays["rows"], arrays["signs"], arrays["cases"], arrays["unknown_rows"]
            )
        table = WordTable(
            " ".join(words["words"]), " ".join(words["names"]), HashedWords.from_text(words["rare"])
        )
        return PreparedText(text, table, words["books"])
    except (ValueError, KeyError, AttributeError, OSError, BadZipFile) as error:
        raise DataError(f"{folder}: the prepared text is damaged ({error}); delete it") from None
