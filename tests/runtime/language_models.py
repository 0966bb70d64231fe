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

    @property
    def numbers(self) -> dict[str, int]:
        """N-grams of each order."""
        return {str(number): len(level) for number, level in enumerate(self.levels, 1)}

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


class PackedToyModel(ToyModel):
    """The same as format 2 has it, with 16 probabilities for bigrams and 16 for trigrams."""

    def __init__(
        self,
        words: Sequence[str],
        sentences: Sequence[str],
        order: int = 3,
        pronunciations: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        super().__init__(words, sentences, order, pronunciations)
        for level in self.levels[1:]:
            kept = sorted(set(level.values()))
            kept = kept[:: -(-len(kept) // 16)]
            for ngram, probability in level.items():
                level[ngram] = min(kept, key=lambda value: abs(value - probability))

    def arrays(self) -> dict[str, np.ndarray]:
        """As in the file."""
        found = {"words": np.frombuffer("\n".join(self.words).encode(), np.uint8)}
        first = [self.levels[0][word,] for word in range(self.size)]
        found |= _coded("{}1", "probability", first)
        ranking = sorted(range(self.size), key=lambda word: (-first[word], word))
        rank = {word: place for place, word in enumerate(ranking)}
        found["heads1"] = np.packbits(
            [(word,) in self.backoff for word in ranking], bitorder="little"
        )
        heads = [(word,) for word in ranking if (word,) in self.backoff]
        found |= _coded("{}1", "backoff", [self.backoff[head] for head in heads])
        followers: dict[int, list[int]] = {}
        codes: list[int] = []
        for number, level in enumerate(self.levels[1:], 2):
            ngrams = sorted(level, key=lambda ngram: [rank[word] for word in ngram])
            if number == 2:
                for before, word in ngrams:
                    followers.setdefault(before, []).append(word)
            places = [
                rank[ngram[-1]] if number == 2 else followers[ngram[-2]].index(ngram[-1])
                for ngram in ngrams
            ]
            longer = [ngram in self.backoff for ngram in ngrams] if number < self.order else None
            starts = [not i or ngrams[i - 1][:-1] != ngram[:-1] for i, ngram in enumerate(ngrams)]
            blocks = _blocks(starts, places, longer)
            found |= {f"{name}{number}": array for name, array in blocks.items()}
            if longer is not None:
                heads = [ngram for ngram in ngrams if ngram in self.backoff]
                found |= _coded(f"{{}}{number}", "backoff", [self.backoff[head] for head in heads])
            values = sorted({math.log(level[ngram]) for ngram in ngrams})
            codes += [values.index(math.log(level[ngram])) for ngram in ngrams]
            table = np.full(16, values[-1], np.float32)
            table[: len(values)] = values
            found[f"probability_values{number}"] = table
        codes += [0] * (len(codes) % 2)
        found["probability"] = np.array(
            [low | high << 4 for low, high in zip(codes[::2], codes[1::2], strict=True)], np.uint8
        )
        if self.pronunciations is not None:
            found |= pronunciation_arrays([self.pronunciations.get(w, ()) for w in self.words])
        return found


def _blocks(
    starts: list[bool], places: list[int], heads: list[bool] | None
) -> dict[str, np.ndarray]:
    """Blocks of 32 n-grams, bit by bit."""
    first, width, words = [], [], []
    for begin in range(0, len(starts), 32):
        start, numbers = starts[begin : begin + 32], places[begin : begin + 32]
        head = heads[begin : begin + 32] if heads is not None else None
        start = start + [True] * (32 - len(start))
        first.append(numbers[0])
        base = 0 if any(start[1:]) else numbers[0]
        rest = [number - base for number in numbers]
        width.append(max(rest).bit_length())
        rows = [start]
        if head is not None:
            rows.append(head)
        rows += [[bool(number >> bit & 1) for number in rest] for bit in range(width[-1])]
        words += [sum(1 << place for place, bit in enumerate(row) if bit) for row in rows]
    return {
        "first": np.array(first, np.uint16),
        "width": np.array(width, np.uint8),
        "blocks": np.array([*words, *[0] * 16], np.uint32),
    }


def _coded(form: str, name: str, probabilities: list[float]) -> dict[str, np.ndarray]:
    values, codes = np.unique([math.log(value) for value in probabilities], return_inverse=True)
    assert len(values) <= 256
    return {
        form.format(name): codes.astype(np.uint8),
        form.format(f"{name}_values"): values.astype(np.float32),
    }


def file_bytes(
    model: ToyModel, content: dict[str, np.ndarray] | None = None, **changes: Any
) -> bytes:
    """The file of a model, with other arrays if given; `changes` replace keys of its header."""
    data, places = b"", {}
    for name, array in (content or model.arrays()).items():
        data += bytes(-len(data) % 64)
        places[name] = {"offset": len(data), "length": len(array), "type": array.dtype.name}
        data += array.tobytes()
    header = {
        "format_version": 2 if isinstance(model, PackedToyModel) else 1,
        "order": model.order,
        "ngrams": model.numbers,
        "arrays": places,
        "bytes": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
    }
    text = json.dumps(header | changes).encode()
    text += b" " * (-(12 + len(text)) % 64)
    return b"ASRNGRAM" + len(text).to_bytes(4, "little") + text + data
