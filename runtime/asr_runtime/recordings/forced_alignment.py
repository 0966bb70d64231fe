"""When the words of a known text were spoken: forced alignment with the model's letters.

The most probable CTC path that spells the text (Viterbi; Kürzinger et al. 2020, arXiv:2007.09127)
gives each word its time. Long recordings are divided where the recognised text agrees with the
given one, so that memory does not grow with the square of their length.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from asr_runtime.decoding.alignment import align
from asr_runtime.decoding.greedy import WORD_BOUNDARY
from asr_runtime.errors import AlignmentError
from asr_runtime.timed_text import Word

Rows = npt.NDArray[np.float32]

MAX_PART_SECONDS = 120.0
"""The longest part that is aligned at once."""

FITTING_SCORE = -1.3
"""Scores below it mean that text and audio are unlikely to belong together."""

_PART_SECONDS = 40.0  # parts are about so long where the texts agree
_AGREEING_WORDS = 3  # in a row, before a place counts as known
#: Curly apostrophes are apostrophes; hyphens, dashes and slashes divide words.
_SIGNS = str.maketrans("\u2019\u2018-\u2013\u2014/", "''    ")
_DROPPED = re.compile(r"[^\w\s']|_")


@dataclass(frozen=True)
class Alignment:
    """A text with the times of its words.

    Attributes:
        words: The words as they were given, with times and confidences.
        score: Mean logarithm of the probability of the text's path, less that of the best path of
            any text, in nats a frame with speech in it; 0 is perfect.
        duration: Length of the audio in seconds.
    """

    words: tuple[Word, ...]
    score: float
    duration: float

    @property
    def fits(self) -> bool:
        """Whether the text is likely to be what was said."""
        return self.score >= FITTING_SCORE


@dataclass(frozen=True)
class SpelledText:
    """A text as the model's labels.

    Attributes:
        words: Its words as they were given.
        labels: The labels of each word, without a space around it.
    """

    words: tuple[str, ...]
    labels: tuple[tuple[int, ...], ...]

    def plain(self, vocabulary: Sequence[str]) -> list[str]:
        """Return the words in the model's spelling."""
        return ["".join(vocabulary[label] for label in labels) for labels in self.labels]


def spell(text: str, vocabulary: Sequence[str]) -> SpelledText:
    """Write a text in a model's labels: lower case, without signs.

    Args:
        text: The text; signs between words and capital letters are no obstacle.
        vocabulary: The text of each class.

    Returns:
        The words that hold letters.

    Raises:
        AlignmentError: There are no words, or one has digits or letters that the model lacks.
    """
    index = {character: number for number, character in enumerate(vocabulary)}
    words, labels = [], []
    for word in text.split():
        plain = " ".join(_DROPPED.sub("", word.lower().translate(_SIGNS)).split())
        if not plain.strip("' "):
            continue
        wrong = sorted({character for character in plain if character not in index})
        if wrong:
            advice = "write numbers as words" if wrong[0].isdigit() else "spell it in these"
            letters = "".join(one for one in vocabulary if len(one) == 1 and one.isalpha())
            raise AlignmentError(
                f"the word {word!r:.60} has {wrong[0]!r}, and the model has only {letters}; "
                f"{advice}"
            )
        words.append(word)
        labels.append(tuple(index[character] for character in plain))
    if not words:
        raise AlignmentError("the text has no words; give what is said in the audio")
    return SpelledText(tuple(words), tuple(labels))


def align_text(
    rows: Rows,
    text: SpelledText,
    blank_id: int,
    vocabulary: Sequence[str],
    seconds_per_frame: float,
    heard: Sequence[Word] = (),
    duration: float | None = None,
) -> Alignment:
    """Find when each word of a text was spoken.

    Args:
        rows: Natural-log probabilities of the letters, float32 [frames, classes].
        text: The text.
        blank_id: The blank's class.
        vocabulary: The text of each class.
        seconds_per_frame: How far apart frames are.
        heard: What a recogniser heard, which a long recording needs.
        duration: Length of the audio in seconds; that of the frames if it is not given.

    Returns:
        The words with their times.

    Raises:
        AlignmentError: The audio is too short for the text, or a long part of it shares nothing
            with the text.
    """
    space = list(vocabulary).index(WORD_BOUNDARY)
    scores = np.maximum(rows, -1e4)
    bounds = _parts(len(rows), text, vocabulary, seconds_per_frame, heard)
    words: list[Word] = []
    path_total, best_total, frames_total = 0.0, 0.0, 0
    for (begin, first), (end, last) in pairwise(bounds):
        part = scores[begin:end]
        if (end - begin) * seconds_per_frame > MAX_PART_SECONDS:
            at = begin * seconds_per_frame
            raise AlignmentError(
                f"from {at:.0f} s on, {(end - begin) * seconds_per_frame:.0f} s of the audio share "
                "nothing with the text; give the text of this recording"
            )
        labels: list[int] = []
        spans = []
        for word in text.labels[first:last]:
            if labels:
                labels.append(space)
            spans.append((len(labels), len(labels) + len(word)))
            labels += word
        try:
            starts, ends = align(part, np.array(labels, np.int64), blank_id, space)
        except ValueError:
            raise AlignmentError(
                f"{(end - begin) * seconds_per_frame:.1f} s of audio are too short for "
                f"{last - first} words; give the text of this recording"
            ) from None
        for given, (one, other) in zip(text.words[first:last], spans, strict=True):
            frames = [np.arange(starts[at], ends[at] + 1) for at in range(one, other)]
            own = np.concatenate(
                [part[span, labels[at]] for at, span in zip(range(one, other), frames, strict=True)]
            )
            span = slice(int(starts[one]), int(ends[other - 1]) + 1)
            path_total += float(own.sum(dtype=float))
            best_total += float(part[np.concatenate(frames)].max(axis=1).sum(dtype=float))
            frames_total += len(own)
            words.append(
                Word(
                    given,
                    (begin + span.start) * seconds_per_frame,
                    (begin + span.stop) * seconds_per_frame,
                    min(1.0, float(np.exp(own.mean(dtype=float)))),
                )
            )
    score = (path_total - best_total) / max(1, frames_total)
    return Alignment(tuple(words), score, duration or len(rows) * seconds_per_frame)


def _parts(
    frames: int,
    text: SpelledText,
    vocabulary: Sequence[str],
    seconds_per_frame: float,
    heard: Sequence[Word],
) -> list[tuple[int, int]]:
    """Frames and words at which the recording is divided, its beginning and end among them."""
    bounds = [(0, 0)]
    if frames * seconds_per_frame > MAX_PART_SECONDS / 2:
        matcher = difflib.SequenceMatcher(
            None, [word.text for word in heard], text.plain(vocabulary), autojunk=False
        )
        for block in matcher.get_matching_blocks():
            for step in range(1, block.size - _AGREEING_WORDS + 2):
                # In the middle between two words that both texts have, with a third after them.
                before, after = heard[block.a + step - 1], heard[block.a + step]
                frame = round((before.end + after.start) / 2 / seconds_per_frame)
                if (frame - bounds[-1][0]) * seconds_per_frame >= _PART_SECONDS:
                    bounds.append((frame, block.b + step))
    if bounds[-1][1] >= len(text.words):
        bounds.pop()
    return [*bounds, (frames, len(text.words))]
