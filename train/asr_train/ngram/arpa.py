r"""Models as ARPA files, which SRILM, KenLM and most decoders read and write.

After ``\data\`` and the numbers of n-grams, each order has a line for each n-gram: the decimal
logarithm of its probability, its words, and that of its back-off weight where it is a context.
``<s>`` and ``</s>`` are a sentence's start and end, ``<unk>`` any other word.
"""

from __future__ import annotations

import gzip
import lzma
import math
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import numpy as np
import numpy.typing as npt

from asr_runtime.language.language_model import BOUNDARY, FIRST_WORD, UNKNOWN
from asr_train.errors import DataError
from asr_train.ngram.counting import MAX_COUNTED_ORDER, Keys, contexts, last_words, suffixes
from asr_train.ngram.kneser_ney import NgramModel, Order, log_probabilities
from asr_train.ngram.pruning import set_context_probabilities
from asr_train.ngram.vocabulary import MAX_WORDS, Vocabulary

_START, _END, _UNKNOWN = "<s>", "</s>", "<unk>"
_NEVER = -99.0
_BATCH = 1 << 16
_WORD = re.compile("[a-z']*[a-z][a-z']*")
_NUMBER = re.compile(r"ngram (\d+) ?= ?(\d+)")


def is_arpa(path: Path) -> bool:
    """Whether a file's name says that it is one."""
    return ".arpa" in path.suffixes[-2:]


def write_arpa(
    path: Path,
    model: NgramModel,
    vocabulary: Vocabulary,
    progress: Callable[[int], object] | None = None,
) -> None:
    """Write a model as an ARPA file.

    Args:
        path: file to write.
        model: any orders.
        vocabulary: words of the model's ids.
        progress: called with the numbers of n-grams as they are written.
    """
    words = [_UNKNOWN, _END, *(word.decode() for word in vocabulary.words)]
    # What the context of the sentence's start needs is no probability, but there must be one.
    lines = ["", "\\data\\"]
    for order, level in enumerate(model.orders, start=1):
        lines.append(f"ngram {order}={len(level.keys) + (order == 1)}")
    with path.open("w", encoding="ascii", newline="\n") as file:
        file.write("\n".join(lines) + "\n")
        for order, level in enumerate(model.orders, start=1):
            file.write(f"\n\\{order}-grams:\n")
            heads = np.zeros(len(level.keys), bool)
            if order < model.order:
                heads[np.searchsorted(level.keys, contexts(model.orders[order].keys))] = True
            if order == 1:
                backoff = math.log10(level.backoff[BOUNDARY]) if heads[BOUNDARY] else 0.0
                file.write(f"{_NEVER:g}\t{_START}\t{backoff:.7g}\n")
                heads[BOUNDARY] = False
            for begin in range(0, len(level.keys), _BATCH):
                piece = slice(begin, begin + _BATCH)
                file.writelines(_lines(level, piece, heads[piece], order, words))
                if progress is not None:
                    progress(len(level.keys[piece]))
        file.write("\n\\end\\\n")


def _lines(
    level: Order, piece: slice, heads: npt.NDArray[np.bool_], order: int, words: list[str]
) -> Iterator[str]:
    keys = level.keys[piece]
    columns = [last_words(keys >> np.uint64(16 * n)).tolist() for n in range(order - 1, -1, -1)]
    if order > 1:
        # Where it begins an n-gram, the boundary is a sentence's start.
        names = [[_START if word == BOUNDARY else words[word] for word in columns[0]]]
        names += [[words[word] for word in column] for column in columns[1:]]
    else:
        names = [[words[word] for word in columns[0]]]
    logs = np.log10(level.probability[piece]).tolist()
    backoffs = np.log10(level.backoff[piece]).tolist()
    for log, ngram, head, backoff in zip(
        logs, zip(*names, strict=True), heads.tolist(), backoffs, strict=True
    ):
        text = f"{log:.7g}\t{' '.join(ngram)}"
        yield f"{text}\t{backoff:.7g}\n" if head else f"{text}\n"


def read_arpa(
    path: Path, order: int = MAX_COUNTED_ORDER, progress: Callable[[int], object] | None = None
) -> tuple[NgramModel, Vocabulary]:
    """Read a model; plain, ``.gz`` or ``.xz``.

    Words are lower-cased. N-grams with words of other characters than ``a``-``z`` and ``'`` are
    left out. Parts of longer n-grams that the file does not have are added, of the probability
    that they have by backing off.

    Args:
        path: ARPA file.
        order: longer n-grams are left out.
        progress: called with the numbers of n-grams as they are read.

    Raises:
        DataError: a file that cannot be read or is no ARPA file.
    """
    try:
        with _open(path) as file:
            numbers = _header(file, path)
            if len(numbers) < 2:
                raise DataError(f"{path}: has no bigrams")
            order = min(order, len(numbers))
            found = _Found(path)
            for level in range(1, order + 1):
                found.read(file, level, numbers[level - 1], progress)
    except (OSError, EOFError, lzma.LZMAError) as error:
        reason = getattr(error, "strerror", None) or error
        raise DataError(f"{path}: cannot read the model: {reason}") from None
    except UnicodeDecodeError:
        raise DataError(f"{path}: is no ARPA file, which is text") from None
    return found.model(), Vocabulary(found.words)


def _open(path: Path) -> IO[str]:
    if path.suffix == ".xz":
        return lzma.open(path, "rt", encoding="utf-8")
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8")
    return path.open(encoding="utf-8")


def _header(file: IO[str], path: Path) -> list[int]:
    for line in file:
        if line.strip() == "\\data\\":
            break
    else:
        raise DataError(f"{path}: is no ARPA file; it has no \\data\\")
    numbers: list[int] = []
    for line in file:
        match = _NUMBER.fullmatch(line.strip())
        if match is not None and int(match[1]) == len(numbers) + 1:
            numbers.append(int(match[2]))
        elif line.strip() or not numbers:
            break
        else:
            return numbers
    raise DataError(f"{path}: does not say how many n-grams it has after \\data\\")


class _Found:
    """What has been read of a file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._ids: dict[str, int] = {}
        self._levels: list[tuple[Keys, npt.NDArray[np.float64], npt.NDArray[np.float64]]] = []
        self.words: tuple[bytes, ...] = ()

    def read(
        self, file: IO[str], order: int, number: int, progress: Callable[[int], object] | None
    ) -> None:
        """Read the n-grams of the next order."""
        for line in file:
            if line.strip():
                break
        if line.strip() != f"\\{order}-grams:":
            raise DataError(f"{self._path}: has no \\{order}-grams: where they should begin")
        rows: list[tuple[str, float, float]] = []
        try:
            for count, line in enumerate(file):
                if count >= number:
                    break
                log, words, *backoff = line.rstrip("\n").split("\t")
                rows.append((words.lower(), float(log), float(backoff[0]) if backoff else 0.0))
                if progress is not None and count % _BATCH == 0:
                    progress(min(_BATCH, number - count))
        except ValueError:
            raise DataError(f"{self._path}: is not an n-gram: {line.strip()[:60]!r}") from None
        if len(rows) < number:
            raise DataError(f"{self._path}: ends early; it has too few {order}-grams")
        if order == 1:
            self._unigrams(rows)
        else:
            self._longer(rows, order)

    def _unigrams(self, rows: list[tuple[str, float, float]]) -> None:
        special = {_START: BOUNDARY, _END: BOUNDARY, _UNKNOWN: UNKNOWN}
        known = {word: log for word, log, _ in reversed(rows) if _WORD.fullmatch(word)}
        if not known:
            raise DataError(f"{self._path}: has no word of a-z and '")
        chosen = sorted(sorted(known, key=known.__getitem__, reverse=True)[:MAX_WORDS])
        self.words = tuple(word.encode() for word in chosen)
        self._ids = special | {word: n for n, word in enumerate(chosen, FIRST_WORD)}
        logs = np.full(len(chosen) + FIRST_WORD, min(known.values()))
        backoffs = np.zeros(len(logs))
        for word, log, backoff in rows:
            index = self._ids.get(word)
            if index is None:
                continue
            if word != _START:
                logs[index] = log
            if word != _END:
                backoffs[index] = backoff
        self._levels.append((np.arange(len(logs), dtype=np.uint64), logs, backoffs))

    def _longer(self, rows: list[tuple[str, float, float]], order: int) -> None:
        keys, logs, backoffs = [], [], []
        get = self._ids.get
        for text, log, backoff in rows:
            key = 0
            ids = [get(word) for word in text.split(" ")]
            if len(ids) != order:
                raise DataError(f"{self._path}: is no {order}-gram: {text[:60]!r}")
            for index in ids:
                if index is None:
                    break
                key = key << 16 | index
            else:
                keys.append(key)
                logs.append(log)
                backoffs.append(backoff)
        found, place = np.unique(np.array(keys, np.uint64), return_index=True)
        self._levels.append((found, np.array(logs)[place], np.array(backoffs)[place]))

    def model(self) -> NgramModel:
        """All that was read as a model, with the bigrams and contexts that it needs."""
        model = NgramModel([])
        needed = [level[0] for level in self._levels]
        for order in range(len(needed), 2, -1):
            longer, shorter = needed[order - 1], needed[order - 2]
            shorter = np.union1d(shorter, contexts(longer))
            needed[order - 2] = np.union1d(shorter, suffixes(longer, order))
        for order, (keys, logs, backoffs) in enumerate(self._levels, start=1):
            level = Order(
                keys,
                np.power(10.0, np.minimum(logs, 0.0)),
                np.power(10.0, backoffs),
                np.zeros(len(keys)),
            )
            model.orders.append(level)
            missing = np.setdiff1d(needed[order - 1], keys)
            if len(missing):
                rows = np.stack(
                    [last_words(missing >> np.uint64(16 * n)) for n in range(order - 1, -1, -1)],
                    axis=1,
                )
                added = np.exp(log_probabilities(model, rows, order))
                place = np.searchsorted(keys, missing)
                level.keys = np.insert(keys, place, missing)
                level.probability = np.insert(level.probability, place, added)
                level.backoff = np.insert(level.backoff, place, 1.0)
        set_context_probabilities(model)
        return model
