"""Transcripts as people read them: signs, capital letters, and numbers in digits."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from asr_runtime.readable_text.annotation import Sign
from asr_runtime.readable_text.number_words import can_be_in_number
from asr_runtime.readable_text.number_writing import WrittenWord, write_numbers
from asr_runtime.readable_text.punctuation_model import PunctuationModel, load_punctuation_model
from asr_runtime.readable_text.punctuator import PunctuatedWord, Punctuator
from asr_runtime.timed_text import ReadableWord, Word, geometric_mean
from asr_runtime.transcript import Transcript

_TITLES = {"mister": "Mr.", "missus": "Mrs."}
"""Titles that nobody writes as they are spoken, before a name."""


class ReadableText:
    """Makes text readable; threads may share one.

    Args:
        model: Puts signs and capital letters in; None for none.
        numbers: Whether to write number words as digits.
    """

    def __init__(self, model: PunctuationModel | None, *, numbers: bool) -> None:
        self._model = model
        self._numbers = numbers

    def segments(self, segments: Iterable[Transcript]) -> Iterator[Transcript]:
        """Make the segments of one recording readable.

        Args:
            segments: As `Recognizer.segments` yields them.

        Yields:
            The same segments with `Transcript.readable`; each as soon as the few words after it
            that its signs depend on are known.
        """
        if self._model is None:
            for segment in segments:
                yield self.rewritten(segment, _as_spoken(segment.words))
            return
        punctuator = Punctuator(self._model)
        waiting: deque[Transcript] = deque()
        decided: deque[PunctuatedWord] = deque()
        for segment in segments:
            waiting.append(segment)
            words = segment.words
            decided += punctuator.feed(
                [word.text for word in words],
                [(word.start, word.end) for word in words],
                # Of less than the first segment that waits nothing could be yielded.
                at_least=max(1, len(waiting[0].words) - len(decided)),
            )
            yield from self._complete(waiting, decided)
        decided += punctuator.finish()
        yield from self._complete(waiting, decided)

    def transcript(self, transcript: Transcript) -> Transcript:
        """Make the transcript of a whole recording readable.

        Args:
            transcript: The transcript.

        Returns:
            The same with `Transcript.readable`.
        """
        return next(self.segments([transcript]))

    def stream(self) -> ReadableStream:
        """Begin to make the text of a stream readable."""
        return ReadableStream(self, None if self._model is None else Punctuator(self._model))

    def _complete(
        self, waiting: deque[Transcript], decided: deque[PunctuatedWord]
    ) -> Iterator[Transcript]:
        """Yield the segments all of whose words are decided."""
        while waiting and len(waiting[0].words) <= len(decided):
            segment = waiting.popleft()
            yield self.rewritten(segment, [decided.popleft() for _ in segment.words])

    def rewritten(self, segment: Transcript, words: Sequence[PunctuatedWord]) -> Transcript:
        """Return a segment as it is read.

        Args:
            segment: The segment.
            words: Its words with their signs.
        """
        written = self.written(words)
        readable = tuple(_timed(written, segment.words))
        return replace(segment, text=" ".join(word.text for word in readable), readable=readable)

    def written(self, words: Sequence[PunctuatedWord]) -> list[WrittenWord]:
        """Write words as they are read.

        Args:
            words: With their signs.

        Returns:
            The same text in fewer or as many words.
        """
        if self._model is not None:
            words = _with_titles(words)
        if self._numbers:
            return write_numbers(words)
        return [WrittenWord(word.written, word.sign) for word in words]


def load_readable_text(
    punctuate: bool | str | os.PathLike[str], *, numbers: bool
) -> ReadableText | None:
    """Load what makes text readable.

    Args:
        punctuate: Whether there should be signs and capital letters; or a punctuation model's file.
        numbers: Whether to write number words as digits.

    Returns:
        The writer, or None if neither is wanted.

    Raises:
        ModelFileError: The punctuation model cannot be used.
        DeviceError: ONNX Runtime is not installed.
    """
    model = None
    if punctuate is not False:
        model = load_punctuation_model(None if punctuate is True else Path(punctuate))
    return ReadableText(model, numbers=numbers) if model is not None or numbers else None


class ReadableStream:
    """The text of one stream, sentence by sentence, as people read it.

    Args:
        text: How to write.
        punctuator: Puts signs in; None for none.
    """

    def __init__(self, text: ReadableText, punctuator: Punctuator | None) -> None:
        self._text = text
        self._punctuator = punctuator

    def partial(self, text: str, stable: str) -> tuple[str, str]:
        """Make the text so far of a sentence readable.

        Args:
            text: The text.
            stable: The beginning of it that will not change any more.

        Returns:
            Both as they are read. The second is a beginning of the first, and is shorter by the
            words that its signs still depend on.
        """
        words = text.split()
        if self._punctuator is None:
            written, fixed = _as_spoken_words(words), len(stable.split())
        else:
            written = self._punctuator.preview(words)
            fixed = len(stable.split()) - self._punctuator.words_ahead
        if not stable.endswith(" ") and len(stable) < len(text):
            fixed -= 1  # the last word may go on
        while fixed > 0 and (can_be_in_number(words[fixed - 1]) or words[fixed - 1] in _TITLES):
            fixed -= 1
        all_words = list(map(str, self._text.written(written)))
        fixed_words = list(map(str, self._text.written(written[: max(0, fixed)])))
        shown, kept = " ".join(all_words), " ".join(fixed_words)
        return shown, kept if shown.startswith(kept) else ""

    def final(self, sentence: Transcript) -> Transcript:
        """Make a sentence readable that a pause ended.

        Args:
            sentence: The sentence.

        Returns:
            The same with `Transcript.readable`. The pause counts as the end of what was said,
            because what comes next is not known.
        """
        if self._punctuator is None:
            return self._text.rewritten(sentence, _as_spoken(sentence.words))
        decided = self._punctuator.pause([word.text for word in sentence.words])
        return self._text.rewritten(sentence, decided)


def _as_spoken(words: Iterable[Word]) -> list[PunctuatedWord]:
    return _as_spoken_words([word.text for word in words])


def _as_spoken_words(words: Iterable[str]) -> list[PunctuatedWord]:
    return [PunctuatedWord(word, word, Sign.NONE) for word in words]


def _with_titles(words: Sequence[PunctuatedWord]) -> list[PunctuatedWord]:
    result = list(words)
    for at, word in enumerate(words[:-1]):
        if word.word in _TITLES and words[at + 1].written[:1].isupper():
            result[at] = PunctuatedWord(word.word, _TITLES[word.word], Sign.NONE)
    return result


def _timed(written: Iterable[WrittenWord], words: Sequence[Word]) -> Iterator[ReadableWord]:
    at = 0
    for item in written:
        spoken = words[at : at + item.words]
        at += item.words
        yield ReadableWord(
            text=str(item),
            start=spoken[0].start,
            end=spoken[-1].end,
            confidence=geometric_mean([word.confidence for word in spoken]),
            words=item.words,
        )
