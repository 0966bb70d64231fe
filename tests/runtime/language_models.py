"""A language model file made by the book: absolute discounting, one entry a code."""

import collections
import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from asr_runtime.language.phonemes import PHONEMES

UNKNOWN, BOUNDARY = 0, 1
END = len(PHONEMES)
DISCOUNT = 0.5

Ngram = tuple[int, ...]


class ToyModel:
    """Smoothed n-grams of a few sentences, in plain dictionaries."""

    def __init__(
        self,
        words: Sequence[str],
        sentences: Sequence[str],
        order: int = 3,
        pronunciations: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        self.words = sorted(words)
        self.pronunciations = pronunciations
        self.order = order
        number = {word: index for index, word in enumerate(self.words, 2)}
        self.size = len(self.words) + 2
        counts: list[collections.Counter[Ngram]] = [collections.Counter() for _ in range(order)]
        for sentence in sentences:
            ids = [BOUNDARY, *(number[word] for word in sentence.split()), BOUNDARY]
            for end in range(1, len(ids)):
                for length in range(1, min(order, end + 1) + 1):
                    counts[length - 1][tuple(ids[end + 1 - length : end + 1])] += 1
        total = sum(counts[0].values()) + self.size
        self.levels: list[dict[Ngram, float]] = [
            {(word,): (counts[0][(word,)] + 1) / total for word in range(self.size)}
        ]
        self.backoff: dict[Ngram, float] = {}
        for level in range(1, order):
            totals: collections.Counter[Ngram] = collections.Counter()
            kinds: collections.Counter[Ngram] = collections.Counter()
            for ngram, count in counts[level].items():
                totals[ngram[:-1]] += count
                kinds[ngram[:-1]] += 1
            for context, seen in kinds.items():
                self.backoff[context] = DISCOUNT * seen / totals[context]
            self.levels.append(
                {
                    ngram: (count - DISCOUNT) / totals[ngram[:-1]]
                    + self.backoff[ngram[:-1]] * self.probability(ngram[1:])
                    for ngram, count in sorted(counts[level].items())
                }
            )

    def probability(self, ngram: Ngram) -> float:
        """Of the last word after the others, of which the last `order` - 1 count."""
        ngram = ngram[-self.order :]
        known = self.levels[len(ngram) - 1] if len(ngram) <= len(self.levels) else {}
        if ngram in known:
            return known[ngram]
        return self.backoff.get(ngram[:-1], 1.0) * self.probability(ngram[1:])

    def arrays(self) -> dict[str, np.ndarray]:
        """As in the file."""
        found = {"words": np.frombuffer("\n".join(self.words).encode(), np.uint8)}
        for level, ngrams in enumerate(self.levels):
            keys = sorted(ngrams)
            found |= _coded(f"{{}}{level + 1}", "probability", [ngrams[key] for key in keys])
            if level:
                found[f"word{level + 1}"] = np.array([key[-1] for key in keys], np.uint16)
                starts = [not i or keys[i - 1][:-1] != key[:-1] for i, key in enumerate(keys)]
                found[f"starts{level + 1}"] = np.packbits(starts, bitorder="little")
            if level < self.order - 1:
                heads = [key for key in keys if key in self.backoff]
                found[f"heads{level + 1}"] = np.packbits(
                    [key in self.backoff for key in keys], bitorder="little"
                )
                found |= _coded(f"{{}}{level + 1}", "backoff", [self.backoff[key] for key in heads])
        if self.pronunciations is not None:
            found |= pronunciation_arrays([self.pronunciations.get(w, ()) for w in self.words])
        return found


def pronunciation_arrays(spoken: Sequence[Sequence[str]]) -> dict[str, np.ndarray]:
    """As in the file; spoken: of each word its pronunciations, such as ``K AE T``."""
    symbols: list[int] = []
    bits: list[int] = []
    for variants in spoken:
        for variant in variants:
            symbols += [*(PHONEMES.index(name) for name in variant.split()), END]
        bits += [0] * len(variants) + [1]
    symbols += [END] * (-len(symbols) % 3)
    numbers = np.array(symbols, np.uint16).reshape(-1, 3) @ np.array([1600, 40, 1], np.uint16)
    return {
        "phonemes": numbers.astype(np.uint16),
        "pronunciations": np.packbits(bits, bitorder="little"),
    }


def _coded(form: str, name: str, probabilities: list[float]) -> dict[str, np.ndarray]:
    values, codes = np.unique([math.log(value) for value in probabilities], return_inverse=True)
    assert len(values) <= 256
    return {
        form.format(name): codes.astype(np.uint8),
        form.format(f"{name}_values"): values.astype(np.float32),
    }


def file_bytes(model: ToyModel, **changes: Any) -> bytes:
    """The file of a model; `changes` replace keys of its header."""
    data, places = b"", {}
    for name, array in model.arrays().items():
        data += bytes(-len(data) % 64)
        places[name] = {"offset": len(data), "length": len(array), "type": array.dtype.name}
        data += array.tobytes()
    header = {
        "format_version": 1,
        "order": model.order,
        "arrays": places,
        "bytes": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
    }
    text = json.dumps(header | changes).encode()
    text += b" " * (-(12 + len(text)) % 64)
    return b"ASRNGRAM" + len(text).to_bytes(4, "little") + text + data
