"""How a word that no dictionary has is probably spoken, from its letters."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from asr_runtime.language.graphone_file import GraphoneModel, read_graphone_model
from asr_runtime.language.graphone_search import search
from asr_runtime.language.phonemes import MAX_PHONEMES, parse_phonemes
from asr_runtime.language.trie import grow_trie

DEFAULT_GRAPHEME_TO_PHONEME = Path(__file__).parents[1] / "models" / "english.g2p"
MAX_LETTERS = 64
"""Of a word that can be pronounced; the longest in CMUdict has 34."""

_BEAM = 12
"""Least number of ways to pronounce a word that are followed; several may be one pronunciation."""
_BATCH = 1 << 13
_VOWELS = frozenset("aeiouy")
_BASE = 0x9E3779B97F4A7C15
"""Odd, and of no pattern: 2^64 divided by the golden ratio."""
_LETTER_NAMES = dict(
    zip(
        "abcdefghijklmnopqrstuvwxyz",
        map(
            parse_phonemes,
            (
                *("EY", "B IY", "S IY", "D IY", "IY", "EH F", "JH IY", "EY CH", "AY", "JH EY"),
                *("K EY", "EH L", "EH M", "EH N", "OW", "P IY", "K Y UW", "AA R", "EH S", "T IY"),
                *("Y UW", "V IY", "D AH B AH L Y UW", "EH K S", "W AY", "Z IY"),
            ),
        ),
        strict=True,
    )
)


class GraphemeToPhoneme:
    """Pronounces words by a joint-sequence model.

    Attributes:
        header: Of the model's file, for people.
        letters: What words may be made of.
    """

    def __init__(self, model: GraphoneModel) -> None:
        """Sort the graphones by their letters.

        Args:
            model: What the file holds.
        """
        self.header = model.header
        self.letters = "".join(sorted({letter for letter, _ in model.graphones}))
        symbols: dict[str, list[int]] = {letter: [] for letter in self.letters}
        for symbol, (letter, _) in enumerate(model.graphones, start=1):
            symbols[letter].append(symbol)
        # 0 is no letter: words are padded with it.
        self._candidates = [
            np.zeros(0, np.int32),
            *(np.array(symbols[letter], np.int32) for letter in self.letters),
        ]
        self._phonemes = [b"", *(phonemes for _, phonemes in model.graphones)]
        self._factor, self._number = _hash_steps(self._phonemes)
        self._lengths = np.array([len(phonemes) for phonemes in self._phonemes], np.int64)
        self._spelled = re.compile(f"[{re.escape(self.letters)}]{{1,{MAX_LETTERS}}}")
        self._trie = model.trie

    def pronounce(self, word: str, variants: int = 1, least: float = 0.1) -> tuple[bytes, ...]:
        """Return pronunciations of one word as phoneme ids, the most probable first.

        Args:
            word: The word; capitals count as small letters.
            variants: Most pronunciations.
            least: How probable the others must be, as a share of the best one's probability.

        Raises:
            ValueError: As in `pronounce_all`.
        """
        return self.pronounce_all([word], variants, least)[0]

    def pronounce_all(
        self, words: Sequence[str], variants: int = 1, least: float = 0.1
    ) -> list[tuple[bytes, ...]]:
        """Pronounce many words, faster than one by one.

        Words without a vowel are read out letter by letter first.

        Args:
            words: The words.
            variants: Most pronunciations of a word. There is always one.
            least: How probable the others must be, as a share of the best one's probability.

        Returns:
            Pronunciations of each word as phoneme ids, the most probable first.

        Raises:
            ValueError: A word is empty, very long or has other characters; its text is one line for
                people.
        """
        plain = [self._plain(word) for word in words]
        distinct = sorted(set(plain))
        found: dict[str, tuple[bytes, ...]] = {}
        for begin in range(0, len(distinct), _BATCH):
            batch = distinct[begin : begin + _BATCH]
            for word, likely in zip(batch, self._likely(batch, variants, least), strict=True):
                found[word] = _choose(word, likely, variants)
        return [found[word] for word in plain]

    def knows(self, word: str) -> bool:
        """Tell whether a word can be pronounced."""
        plain = word.lower().replace("\u2019", "'")
        return bool(self._spelled.fullmatch(plain) and plain.strip("'"))

    def _plain(self, word: str) -> str:
        """Return a word in the model's letters.

        Args:
            word: The word.

        Raises:
            ValueError: As in `pronounce_all`.
        """
        plain = word.lower().replace("\u2019", "'")
        if self._spelled.fullmatch(plain) and plain.strip("'"):
            return plain
        if not plain.strip("'"):
            raise ValueError("the word has no letters")
        if len(plain) > MAX_LETTERS:
            raise ValueError(
                f"the word has {len(plain)} letters; at most {MAX_LETTERS} are possible"
            )
        foreign = sorted(set(plain) - set(self.letters))
        raise ValueError(
            f"{word!r} has {', '.join(map(repr, foreign))}, which cannot be pronounced; write "
            "it in a-z, or give its phonemes"
        )

    def _likely(self, words: list[str], variants: int, least: float) -> list[list[bytes]]:
        """Return the most probable pronunciations of distinct words in order."""
        lengths = np.array([len(word) for word in words], np.int64)
        codes = np.array(words).view(np.uint32).reshape(len(words), -1)
        index = np.zeros(max(int(codes.max()), *map(ord, self.letters)) + 1, np.uint8)
        index[[ord(letter) for letter in self.letters]] = np.arange(len(self.letters)) + 1
        tree = grow_trie(index[codes], lengths, np.zeros(len(words), np.float32))
        scores, symbols = search(self._trie, self._candidates, tree, max(_BEAM, 2 * variants))
        ranked, number = self._ranked(scores, symbols, least)
        spell = self._phonemes.__getitem__
        likely = []
        for ways, order, enough in zip(symbols, ranked.tolist(), number.tolist(), strict=True):
            chosen = order[: min(enough, variants)]
            likely.append([b"".join(map(spell, ways[way].tolist())) for way in chosen])
        return likely

    def _ranked(
        self, scores: npt.NDArray[np.float32], symbols: npt.NDArray[np.uint8], least: float
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Add up the probabilities of the ways to divide one pronunciation among the letters.

        Args:
            scores: Natural-log probabilities of each word's ways [words, ways], the best first.
            symbols: The ways [words, ways, longest].
            least: Of a pronunciation's probability, as a share of the best one's.

        Returns:
            A way of each pronunciation, the most probable one's first [words, ways], and how many
            pronunciations are probable enough [words].
        """
        same = np.zeros(scores.shape, np.uint64)
        length = np.zeros(scores.shape, np.int64)
        for column in range(symbols.shape[2]):
            # Numbers of the phonemes so far, which differ if they do but for one case in 2^64.
            symbol = symbols[:, :, column]
            same = same * self._factor[symbol] + self._number[symbol]
            length += self._lengths[symbol]
        usable = (length > 0) & (length <= MAX_PHONEMES) & (scores > -np.inf)
        best = np.where(usable, scores, -np.inf).max(axis=1, initial=-np.inf, keepdims=True)
        share = np.zeros(scores.shape)
        share[usable] = np.exp((scores - best)[usable].astype(np.float64))
        first = (same[:, :, None] == same[:, None, :]).argmax(axis=2)
        ways = np.arange(scores.shape[1])
        place = np.arange(len(scores))[:, None] * len(ways) + first
        joined = np.bincount(place.ravel(), share.ravel(), share.size).reshape(share.shape)
        ranked = np.argsort(-joined, axis=1, kind="stable")
        enough = joined >= max(least, 1e-30) * joined.max(axis=1, keepdims=True)
        return ranked, (enough & (joined > 0)).sum(axis=1)


def _hash_steps(
    phonemes: Sequence[bytes],
) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint64]]:
    """Return by what to multiply a number, and what to add, to append each of some sequences.

    The number of a sequence is then the same however it is divided (the rolling hash of R. M. Karp
    and M. O. Rabin, 1987, modulo 2^64).
    """
    factors, numbers = [], []
    for sequence in phonemes:
        factor, number = 1, 0
        for phoneme in sequence:
            factor = factor * _BASE % 2**64
            number = (number * _BASE + phoneme + 1) % 2**64
        factors.append(factor)
        numbers.append(number)
    return np.array(factors, np.uint64), np.array(numbers, np.uint64)


@lru_cache(maxsize=1)
def load_grapheme_to_phoneme(path: Path = DEFAULT_GRAPHEME_TO_PHONEME) -> GraphemeToPhoneme:
    """Read the model in this package, or another one, once.

    Args:
        path: The file.

    Raises:
        ModelFileError: It cannot be read.
    """
    return GraphemeToPhoneme(read_graphone_model(path))


def spell_out(word: str) -> bytes:
    """Return the names of a word's letters as phoneme ids, as in *BBC*."""
    return b"".join(_LETTER_NAMES[letter] for letter in word if letter in _LETTER_NAMES)


def _choose(word: str, likely: list[bytes], variants: int) -> tuple[bytes, ...]:
    if _VOWELS.isdisjoint(word):
        likely = [spell_out(word)[:MAX_PHONEMES], *likely[:1]]
    return tuple(dict.fromkeys(likely))[:variants]
