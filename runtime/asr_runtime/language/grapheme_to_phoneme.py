"""How a word that no dictionary has is probably spoken, from its letters."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from asr_runtime.language.graphone_file import GraphoneModel, read_graphone_model
from asr_runtime.language.graphone_search import search
from asr_runtime.language.phonemes import MAX_PHONEMES, parse_phonemes

DEFAULT_GRAPHEME_TO_PHONEME = Path(__file__).parents[1] / "models" / "english.g2p"
MAX_LETTERS = 64
"""Of a word that can be pronounced; the longest in CMUdict has 34."""

_BEAM = 12
_BATCH = 256
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
        most = max(map(len, symbols.values()))
        self._candidates = np.array(
            [symbols[letter] + [-1] * (most - len(symbols[letter])) for letter in self.letters],
            np.int32,
        )
        self._phonemes = [b"", *(phonemes for _, phonemes in model.graphones)]
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
        plain = [self.check(word) for word in words]
        result: list[tuple[bytes, ...]] = [()] * len(plain)
        by_length: dict[int, list[int]] = {}
        for index, word in enumerate(plain):
            by_length.setdefault(len(word), []).append(index)
        for places in by_length.values():
            for begin in range(0, len(places), _BATCH):
                batch = places[begin : begin + _BATCH]
                found = self._search([plain[index] for index in batch])
                for index, ranked in zip(batch, found, strict=True):
                    result[index] = _choose(plain[index], ranked, variants, least)
        return result

    def check(self, word: str) -> str:
        """Return a word in the model's letters.

        Args:
            word: The word.

        Raises:
            ValueError: As in `pronounce_all`.
        """
        plain = word.lower().replace("\u2019", "'")
        if not plain.strip("'"):
            raise ValueError("the word has no letters")
        if len(plain) > MAX_LETTERS:
            raise ValueError(
                f"the word has {len(plain)} letters; at most {MAX_LETTERS} are possible"
            )
        foreign = sorted(set(plain) - set(self.letters))
        if foreign:
            raise ValueError(
                f"{word!r} has {', '.join(map(repr, foreign))}, which cannot be pronounced; write "
                "it in a-z, or give its phonemes"
            )
        return plain

    def _search(self, words: list[str]) -> list[dict[bytes, float]]:
        """Return pronunciations of words of one length with their log-probabilities, best first."""
        letters = np.array([[self.letters.index(letter) for letter in word] for word in words])
        scores, symbols = search(self._trie, self._candidates, letters.astype(np.int32), _BEAM)
        return [
            self._join(word_scores, word_symbols)
            for word_scores, word_symbols in zip(scores, symbols, strict=True)
        ]

    def _join(
        self, scores: npt.NDArray[np.float32], symbols: npt.NDArray[np.int32]
    ) -> dict[bytes, float]:
        """Add up the probabilities of the ways to divide one pronunciation among the letters."""
        joined: dict[bytes, float] = {}
        for score, path in zip(scores.tolist(), symbols.tolist(), strict=True):
            phonemes = b"".join([self._phonemes[symbol] for symbol in path])
            if score > -np.inf and 0 < len(phonemes) <= MAX_PHONEMES:
                joined[phonemes] = float(np.logaddexp(joined.get(phonemes, -np.inf), score))
        return dict(sorted(joined.items(), key=lambda item: -item[1]))


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


def _choose(
    word: str, ranked: dict[bytes, float], variants: int, least: float
) -> tuple[bytes, ...]:
    chosen: list[bytes] = []
    if ranked:
        bar = next(iter(ranked.values())) + np.log(max(least, 1e-30))
        chosen = [spoken for spoken, score in ranked.items() if score >= bar]
    if not set(word) & set("aeiouy"):
        chosen = [spell_out(word)[:MAX_PHONEMES], *chosen[:1]]
    return tuple(dict.fromkeys(chosen))[:variants]
