"""From the pronunciations that a search by phonemes found to the characters of the text.

A word lasts from its first phoneme to its last; its letters share that time evenly, and have the
word's confidence: the geometric mean of its phonemes' probabilities. The letters of a word that is
in no dictionary are those that the letter head heard while its phonemes were spoken.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from asr_runtime.decoding.alignment import Frames, align, gains_over_blank
from asr_runtime.decoding.greedy import WORD_BOUNDARY, greedy_decode
from asr_runtime.decoding.heads import Heads, Rows
from asr_runtime.decoding.letter_alignment import IMPROBABLE, PART_FRAMES
from asr_runtime.language import phonemes
from asr_runtime.language.pronunciation_tree import PronunciationTree
from asr_runtime.timed_text import Token, geometric_mean

Integers = npt.NDArray[np.int64]

_PAUSE_SECONDS = 0.3
"""Longest silence between words of one phrase."""


@dataclass(frozen=True)
class AlignedWords:
    """Words and their phonemes, and when each was spoken.

    Attributes:
        words: Pronunciations, int64 [words].
        first: First frame of each word, int64 [words].
        last: Last frame of each word, int64 [words].
        phonemes: Ids of the phonemes of all words, int64 [phonemes].
        word: Index of each phoneme's word, int64 [phonemes].
        phoneme_first: First frame of each phoneme, int64 [phonemes].
        phoneme_last: Last frame of each phoneme, int64 [phonemes].
        end: Frame in which another word begins, or after the last frame.
    """

    words: Integers
    first: Frames
    last: Frames
    phonemes: Integers
    word: Integers
    phoneme_first: Frames
    phoneme_last: Frames
    end: int

    def before(self, place: int) -> AlignedWords:
        """Return the words before one of them."""
        number = int(np.searchsorted(self.word, place))
        return AlignedWords(
            self.words[:place],
            self.first[:place],
            self.last[:place],
            self.phonemes[:number],
            self.word[:number],
            self.phoneme_first[:number],
            self.phoneme_last[:number],
            int(self.first[place]) if place < len(self.words) else self.end,
        )


class WordAligner:
    """Finds when words were spoken, leaves out those that were not, and writes tokens."""

    def __init__(
        self,
        tree: PronunciationTree,
        texts: Sequence[str],
        vocabulary: Sequence[str],
        heads: Heads,
        silence_threshold: float,
    ) -> None:
        """Take what all utterances have in common.

        Args:
            tree: Tree of the pronunciations.
            texts: The words by their numbers.
            vocabulary: Text of each letter class.
            heads: Columns of the rows.
            silence_threshold: Nats by which blanks must be the more probable for a phrase, words
                without a pause between them, to be left out.
        """
        self._tree = tree
        self._texts = texts
        self._vocabulary = tuple(vocabulary)
        self._heads = heads
        self._silence_threshold = silence_threshold

    def align(
        self, rows: Rows, words: Integers, start_frames: Frames, blank_frames: npt.NDArray[np.bool_]
    ) -> AlignedWords:
        """Find the first and last frame of each word and of its phonemes.

        Args:
            rows: Natural-log probabilities [frames, columns of the heads].
            words: The pronunciations of a `BestPath`, int64 [words].
            start_frames: Its start frames, counted from the first of these frames, int64 [words].
            blank_frames: What `PhonemeSearch.blank_frames` returned for them, bool [frames].

        Returns:
            The words with their frames.
        """
        log_probs = np.maximum(self._heads.heard(rows), IMPROBABLE)
        ends = np.append(start_frames, len(log_probs))[1:]
        spoken = [
            self._phonemes(word, log_probs[begin:end])
            for word, begin, end in zip(
                words.tolist(), start_frames.tolist(), ends.tolist(), strict=True
            )
        ]
        numbers = np.array([len(each) for each in spoken], np.int64)
        bounds = np.concatenate(([0], numbers.cumsum()))
        labels = np.concatenate([np.zeros(0, np.int64), *spoken])
        first, last = np.empty_like(labels), np.empty_like(labels)
        # A part begins where a word does.
        parts = [0, *_parts(start_frames, blank_frames), len(words)]
        for one, other in pairwise(parts):
            if one == other:
                continue
            begin = int(start_frames[one]) if one else 0
            end = int(start_frames[other]) if other < len(words) else len(log_probs)
            part = slice(int(bounds[one]), int(bounds[other]))
            frames = _align(log_probs[begin:end], labels[part], blank_frames[begin:end])
            if frames is None:
                # The search joins paths, so that a part of one need not be a path.
                repeated = np.repeat(start_frames[one:other], numbers[one:other])
                first[part] = last[part] = repeated
            else:
                first[part], last[part] = frames[0] + begin, frames[1] + begin
        return AlignedWords(
            words,
            first[bounds[:-1]],
            last[bounds[1:] - 1],
            labels,
            np.repeat(np.arange(len(words)), numbers),
            first,
            last,
            len(log_probs),
        )

    def tokens(
        self,
        rows: Rows,
        aligned: AlignedWords,
        seconds_per_frame: float,
        offset: int = 0,
        previous: Token | None = None,
    ) -> tuple[Token, ...]:
        """Write the characters of the words that were spoken, a space before each word.

        Args:
            rows: Natural-log probabilities [frames, columns of the heads].
            aligned: What `align` returned for them.
            seconds_per_frame: How far apart frames are.
            offset: Frames before these, for the times.
            previous: Token before these, if there is any; the first space begins where it ends.

        Returns:
            Tokens in order.
        """
        log_probs = np.maximum(self._heads.heard(rows), IMPROBABLE)
        gains = gains_over_blank(
            log_probs,
            aligned.phonemes,
            aligned.phoneme_first,
            aligned.phoneme_last,
            phonemes.BLANK,
        )
        spoken = self._spoken(gains, aligned, seconds_per_frame)
        confidence = self._confidences(log_probs, aligned)
        tokens: list[Token] = []
        end = None if previous is None else previous.end
        for place in np.flatnonzero(spoken).tolist():
            letters = self._letters(
                rows, aligned, place, float(confidence[place]), seconds_per_frame, offset
            )
            if not letters:
                continue
            # What is settled may last longer than the frames that are kept begin.
            if end is not None and letters[0].start < end:
                letters = _later(letters, end)
            start = letters[0].start
            # It is as sure as the word that it begins.
            sure = geometric_mean([letter.confidence for letter in letters])
            tokens.append(Token(WORD_BOUNDARY, start if end is None else end, start, sure))
            tokens += letters
            end = letters[-1].end
        return tuple(tokens)

    def _spoken(
        self, gains: npt.NDArray[np.float64], aligned: AlignedWords, seconds_per_frame: float
    ) -> npt.NDArray[np.bool_]:
        """Tell which words were spoken: of those without a pause between them all or none.

        Between two words a short one, such as *i* in *may i have*, may be hardly a sound.

        Args:
            gains: How much more probable each phoneme is than blanks, float64 [phonemes].
            aligned: The words.
            seconds_per_frame: How far apart frames are.

        Returns:
            bool [words].
        """
        between = (aligned.first[1:] - aligned.last[:-1] - 1) * seconds_per_frame
        phrase = np.zeros(len(aligned.words), np.int64)
        np.cumsum(between > _PAUSE_SECONDS, out=phrase[1:])
        gained = np.bincount(phrase[aligned.word], gains)
        spoken: npt.NDArray[np.bool_] = gained[phrase] >= -self._silence_threshold
        return spoken

    def _phonemes(self, word: int, log_probs: npt.NDArray[np.floating[Any]]) -> Integers:
        """Return the phonemes of a word; of an unknown one those that are best in its frames."""
        if word < self._tree.unknown:
            return self._tree.spoken(word).astype(np.int64)
        path = log_probs.argmax(axis=1)
        begins = np.ones(len(path), np.bool_)
        begins[1:] = path[1:] != path[:-1]
        best = path[begins & (path != phonemes.BLANK)]
        # The last phoneme is known, and with it that there is one.
        return best if len(best) else np.array([word - self._tree.unknown])

    def _confidences(
        self, log_probs: npt.NDArray[np.floating[Any]], aligned: AlignedWords
    ) -> npt.NDArray[np.float64]:
        """Return the geometric mean of each word's phonemes' probabilities, float64 [words]."""
        sums = np.concatenate(
            (np.zeros((1, log_probs.shape[1])), log_probs.cumsum(axis=0, dtype=np.float64))
        )
        first, last = aligned.phoneme_first, aligned.phoneme_last
        of_phoneme = sums[last + 1, aligned.phonemes] - sums[first, aligned.phonemes]
        of_phoneme /= last + 1 - first
        number = np.bincount(aligned.word, minlength=len(aligned.words))
        means = np.bincount(aligned.word, of_phoneme, len(aligned.words)) / np.maximum(number, 1)
        return np.exp(np.minimum(means, 0.0))

    def _letters(
        self,
        rows: Rows,
        aligned: AlignedWords,
        place: int,
        confidence: float,
        seconds: float,
        offset: int,
    ) -> list[Token]:
        pronunciation = int(aligned.words[place])
        first, last = int(aligned.first[place]), int(aligned.last[place])
        if pronunciation >= self._tree.unknown:
            begin = int(aligned.last[place - 1]) + 1 if place else 0
            after = int(aligned.first[place + 1]) if place + 1 < len(aligned.words) else aligned.end
            return self._heard_letters(rows[begin:after], seconds, offset + begin)
        text = self._texts[int(self._tree.word[pronunciation])]
        bounds = np.linspace(first + offset, last + 1 + offset, len(text) + 1) * seconds
        return [
            Token(letter, start, end, confidence)
            for letter, (start, end) in zip(text, pairwise(bounds.tolist()), strict=True)
        ]

    def _heard_letters(self, rows: Rows, seconds: float, offset: int) -> list[Token]:
        """Return the longest word that the letter head heard in some frames."""
        heads = self._heads
        decoded = greedy_decode(heads.spelled(rows), self._vocabulary, heads.letter_blank, 1.0)
        words: list[list[Token]] = [[]]
        for token in decoded.tokens:
            if token.text == WORD_BOUNDARY:
                words.append([])
            else:
                words[-1].append(token)
        return [
            Token(
                token.text,
                (token.start + offset) * seconds,
                (token.end + offset) * seconds,
                token.confidence,
            )
            for token in max(words, key=len)
        ]


def _later(letters: list[Token], start: float) -> list[Token]:
    """Return letters none of which begins before some time in seconds."""
    return [
        Token(letter.text, max(letter.start, start), max(letter.end, start), letter.confidence)
        for letter in letters
    ]


def _parts(start_frames: Frames, blank_frames: npt.NDArray[np.bool_]) -> list[int]:
    """Choose words to begin a part with: after silence if possible, and not too far apart."""
    parts: list[int] = []
    begin = 0
    least, most = PART_FRAMES
    after_silence = blank_frames[np.maximum(start_frames - 1, 0)]
    while len(blank_frames) - begin > most:
        able = (start_frames >= begin + least) & (start_frames <= begin + most)
        places = np.flatnonzero(able & after_silence)
        if not len(places):
            places = np.flatnonzero(able)
        if not len(places):
            # Of a long silence, the end.
            places = np.flatnonzero(start_frames > begin + most)
            if not len(places):
                break
        parts.append(int(places[0]))
        begin = int(start_frames[places[0]])
    return parts


def _align(
    log_probs: npt.NDArray[np.floating[Any]], labels: Integers, blank_frames: npt.NDArray[np.bool_]
) -> tuple[Frames, Frames] | None:
    """Align in frames that may hold labels and one frame of each silence; None if impossible."""
    kept = ~blank_frames
    kept[1:] |= blank_frames[1:] & ~blank_frames[:-1]
    kept[:1] = True
    busy = np.flatnonzero(kept)
    for frames in (busy, np.arange(len(log_probs))):
        try:
            # There is no label between words.
            first, last = align(log_probs[frames], labels, phonemes.BLANK, phonemes.BLANK)
            return frames[first], frames[last]
        except ValueError:
            continue
    return None
