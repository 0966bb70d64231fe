"""Phrases that the listener expects: names and terms that the search should prefer.

An automaton (A. V. Aho and M. J. Corasick, 1975) follows the phrases over whole words. Each word of
a phrase earns its bonus when it is said; what an incomplete phrase has earned is given back with
the word that breaks it off, so that only complete phrases gain.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from asr_runtime.errors import DecoderError
from asr_runtime.language.hotword import parse_hotword

MAX_STATES = 1 << 18


def split_hotwords(
    hotwords: Sequence[str], vocabulary: Sequence[str]
) -> dict[tuple[str, ...], float]:
    """Split phrases into words in the model's letters.

    A phrase is lower-cased if the vocabulary has no capitals. Letters have no use for
    pronunciations, which must be right all the same.

    Args:
        hotwords: Words or phrases as `parse_hotword` reads them.
        vocabulary: Text of each class.

    Returns:
        The words of each phrase, and its weight; the largest of a phrase that is given again.

    Raises:
        DecoderError: A phrase is empty, a character is no class of the model, or a pronunciation or
            a weight is none.
    """
    letters = {text for text in vocabulary if len(text) == 1}
    has_capitals = any(letter.isupper() for letter in letters)
    phrases: dict[tuple[str, ...], float] = {}
    for entry in hotwords:
        if not entry.strip():
            raise DecoderError("a hotword is empty; give a word or phrase")
        hotword = parse_hotword(entry)
        text = hotword.text if has_capitals else hotword.text.lower()
        words = tuple(text.split())
        foreign = sorted(set("".join(words)) - letters)
        if foreign:
            raise DecoderError(
                f"hotword {entry!r} has {', '.join(map(repr, foreign))}, which the model cannot "
                "write; spell it the way it is spoken, in the model's letters"
            )
        phrases[words] = max(phrases.get(words, 0.0), hotword.weight)
    return phrases


class PhraseScorer:
    """Follows phrases word by word. States are numbers from 0, which stands for no phrase begun."""

    def __init__(
        self,
        phrases: Sequence[Sequence[int]],
        bonuses: Mapping[int, float],
        weights: Sequence[float] | None = None,
    ) -> None:
        """Build the automaton.

        Args:
            phrases: Word numbers of each phrase, which are distinct.
            bonuses: Nats that saying each word earns, by its number.
            weights: By how much each phrase's bonuses are multiplied; None for 1.

        Raises:
            DecoderError: There are too many words.
        """
        self._words = np.array(sorted({word for phrase in phrases for word in phrase}), np.int64)
        column = {int(word): index for index, word in enumerate(self._words)}
        children: list[dict[int, int]] = [{}]
        earned, complete = [0.0], [False]
        for number, phrase in enumerate(phrases):
            state, total = 0, 0.0
            for word in phrase:
                total += bonuses[word] * (1.0 if weights is None else weights[number])
                if column[word] not in children[state]:
                    children[state][column[word]] = len(children)
                    children.append({})
                    earned.append(total)
                    complete.append(False)
                state = children[state][column[word]]
                if not complete[state]:
                    # What begins several phrases promises the most.
                    earned[state] = max(earned[state], total)
            complete[state] = True
            earned[state] = total
        if len(children) > MAX_STATES:
            raise DecoderError(f"the hotwords have over {MAX_STATES} words; give fewer")
        self._build(children, earned, complete)

    def _build(
        self, children: list[dict[int, int]], earned: list[float], complete: list[bool]
    ) -> None:
        # What a state's longest complete beginning has earned is kept; the rest is lent.
        kept = [0.0] * len(children)
        failure = [0] * len(children)
        queue = deque([0])
        while queue:
            state = queue.popleft()
            for word, child in children[state].items():
                shorter = failure[state]
                while shorter and word not in children[shorter]:
                    shorter = failure[shorter]
                failure[child] = children[shorter].get(word, 0) if state else 0
                kept[child] = earned[child] if complete[child] else kept[state]
                # A phrase may also end within this one.
                kept[child] = max(kept[child], kept[failure[child]])
                queue.append(child)
        # A table of all states and words would grow with the square of the list.
        pairs = [
            (state * len(self._words) + word, child)
            for state, each in enumerate(children)
            for word, child in each.items()
        ]
        keys, values = np.array(sorted(pairs), np.int64).reshape(-1, 2).T
        self._keys, self._children = np.append(keys, np.iinfo(np.int64).max), np.append(values, 0)
        self._failure = np.array(failure, np.int64)
        self._earned = np.array(earned)
        self._lent = self._earned - np.array(kept)

    def advance(
        self, states: npt.NDArray[np.int64], words: npt.NDArray[np.int64]
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
        """Follow one word from each of some states.

        Args:
            states: States, int64 [queries].
            words: Word numbers, int64 [queries].

        Returns:
            Nats that each word earns, float64 [queries], and the state after it, int64 [queries].
        """
        column = np.searchsorted(self._words, words)
        inside = np.minimum(column, len(self._words) - 1)
        column = np.where(self._words[inside] == words, inside, len(self._words))
        following = np.zeros(len(states), np.int64)
        gains = -self._lent[states]
        # Queries still open, and the state whose beginning of a phrase they try to go on with.
        query = np.flatnonzero(column < len(self._words))
        state = states[query]
        first = True
        while len(query):
            key = state * len(self._words) + column[query]
            place = np.searchsorted(self._keys, key)
            known = self._keys[place] == key
            hit, child = query[known], self._children[place[known]]
            following[hit] = child
            # Going on in the same phrase, what is lent stays lent.
            owed = self._earned[states[hit]] if first else self._lent[states[hit]]
            gains[hit] = self._earned[child] - owed
            left = ~known & (state != 0)
            query, state = query[left], self._failure[state[left]]
            first = False
        return gains, following

    def finish(self, states: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        """Return what the end of the text takes back from incomplete phrases.

        Args:
            states: States, int64 [queries].

        Returns:
            Nats, none of them positive, float64 [queries].
        """
        taken: npt.NDArray[np.float64] = -self._lent[states]
        return taken
