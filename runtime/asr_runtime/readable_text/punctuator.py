"""Words that come one after the other, as on a stream, as words with signs and capital letters."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from asr_runtime.readable_text.annotation import Case, Sign
from asr_runtime.readable_text.pauses import pause_log_ratios
from asr_runtime.readable_text.punctuation_model import PunctuationModel

Span = tuple[float, float]
"""When a word begins and ends, in seconds."""


@dataclass(frozen=True, slots=True)
class PunctuatedWord:
    """A word as it is written.

    Attributes:
        word: As the recogniser wrote it.
        written: With its capital letters.
        sign: What stands after it.
    """

    word: str
    written: str
    sign: Sign

    def __str__(self) -> str:
        return self.written + self.sign.mark


class Punctuator:
    """Decides about words as soon as enough words after them are known.

    Results do not depend on how the words were divided.

    Args:
        model: The model to ask.
    """

    def __init__(self, model: PunctuationModel) -> None:
        self._model = model
        self._context: list[str] = []  # decided words that later ones still depend on
        self._waiting: list[str] = []
        self._spans: list[Span | None] = []  # of the waiting words
        self._starts = True

    @property
    def words_ahead(self) -> int:
        """Return how many words after a word must be known before it is decided."""
        return self._model.card.words_ahead

    @property
    def waiting(self) -> int:
        """Return how many words are not decided yet."""
        return len(self._waiting)

    def feed(
        self,
        words: Sequence[str],
        spans: Sequence[Span] | None = None,
        at_least: int = 1,
    ) -> list[PunctuatedWord]:
        """Take the next words.

        Args:
            words: In lower case.
            spans: When they were said, so that pauses count too; None goes by the words alone.
            at_least: Decide nothing before so many words can be decided, because each time takes a
                run of the model.

        Returns:
            The words that are decided now, in order; the last `words_ahead` wait.
        """
        self._take(words, spans)
        number = len(self._waiting) - self.words_ahead
        return self._decide(number) if number >= at_least else []

    def finish(self) -> list[PunctuatedWord]:
        """Decide about all words, because the speech has ended.

        Returns:
            The words that were not decided yet. What comes next begins a sentence.
        """
        decided = self.pause()
        self._context.clear()
        self._starts = True
        return decided

    def pause(self, words: Sequence[str] = ()) -> list[PunctuatedWord]:
        """Decide about all words, because nothing is said for now.

        Args:
            words: The last words before the pause, in lower case. To feed them before takes one
                more run of the model.

        Returns:
            The words that were not decided yet. What comes next goes on from them.
        """
        self._take(words, None)
        return self._decide(len(self._waiting))

    def preview(self, words: Sequence[str] = ()) -> list[PunctuatedWord]:
        """Say how the words that are not decided yet would be written if the speech ended here.

        Args:
            words: Further words, which are not taken.

        Returns:
            The waiting words and these.
        """
        waiting = [*self._waiting, *words]
        spans = [*self._spans, *[None] * len(words)]
        return self._written(waiting, spans, len(waiting)) if waiting else []

    def _take(self, words: Sequence[str], spans: Sequence[Span] | None) -> None:
        self._waiting += words
        self._spans += [None] * len(words) if spans is None else spans

    def _decide(self, number: int) -> list[PunctuatedWord]:
        if number <= 0:
            return []
        decided = self._written(self._waiting, self._spans, number)
        self._starts = decided[-1].sign == Sign.FULL_STOP
        self._context += self._waiting[:number]
        behind = self._model.card.words_behind
        self._context = self._context[max(0, len(self._context) - behind) :]
        self._waiting = self._waiting[number:]
        self._spans = self._spans[number:]
        return decided

    def _written(
        self, words: Sequence[str], spans: Sequence[Span | None], number: int
    ) -> list[PunctuatedWord]:
        """Write the first of the waiting words."""
        found = self._model.annotate([*self._context, *words])
        after = len(self._context)
        pauses = [
            None if one is None or two is None else two[0] - one[1]
            for one, two in zip(spans, [*spans[1:], None], strict=True)
        ]
        return punctuate(
            self._model,
            words[:number],
            found.signs[after : after + number] + pause_log_ratios(pauses[:number]),
            found.cases[after : after + number],
            starts=self._starts,
        )


def punctuate(
    model: PunctuationModel,
    words: Sequence[str],
    signs: npt.NDArray[np.float32],
    cases: npt.NDArray[np.float32],
    *,
    starts: bool = True,
) -> list[PunctuatedWord]:
    """Choose the most probable sign and case of each word.

    Args:
        model: Knows how names are written.
        words: In lower case.
        signs: Log-probabilities of `Sign` [words, 4].
        cases: Log-probabilities of `Case` [words, 3].
        starts: Whether the first word begins a sentence.

    Returns:
        The words. After a full stop there is a capital letter whatever the model says, and "I" is
        always one.
    """
    written = []
    for word, sign_class, case_class in zip(
        words, signs.argmax(axis=1).tolist(), cases.argmax(axis=1).tolist(), strict=True
    ):
        sign = Sign(sign_class)
        written.append(PunctuatedWord(word, _written(model, word, Case(case_class), starts), sign))
        starts = sign == Sign.FULL_STOP
    return written


def _written(model: PunctuationModel, word: str, case: Case, starts: bool) -> str:
    if case == Case.UPPER:
        stem = word.removesuffix("'s")
        return stem.upper() + word[len(stem) :]
    if case == Case.CAPITALISED or word == "i" or word.startswith("i'"):
        return model.table.capitalised(word)
    return word[:1].upper() + word[1:] if starts else word
