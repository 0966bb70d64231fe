"""Subtitles from words and their times: SubRip (SRT), WebVTT, tables, and the cues in them.

The rules are those that broadcasters and streaming services share (BBC Subtitle Guidelines; Netflix
Timed Text Style Guide): at most two lines of 42 characters, one to seven seconds on screen, at most
20 characters a second where the speech allows it, no two at a time, and breaks at pauses, at signs
and between phrases rather than inside one.

Where to break is decided for all words at once, by dynamic programming over the cost of every
possible cue, as Knuth and Plass break paragraphs into lines (Software: Practice and Experience
11, 1981). So one bad break is not chosen to avoid a slightly worse one before it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

LINE_CHARACTERS = 42
"""Characters of a line, at most; a single longer word has a line of its own."""

LINES = 2
SHORTEST_SECONDS, LONGEST_SECONDS = 1.0, 7.0
CHARACTERS_PER_SECOND = 20.0
GAP_SECONDS = 0.08
"""Between two cues that follow each other at once, so that the eye notices the change."""

SILENCE_SECONDS = 2.0
"""A pause over which no cue reaches."""

_LINGER_SECONDS = 0.5  # a cue stays on screen after its last word, if nothing else comes
_PENDING_WORDS = 120  # of endless speech, words that are broken into cues together

# Costs. One unit is about what a viewer minds a cue more than necessary.
_CUE = 1.0
_BREAK_INSIDE_PHRASE = 1.5
_BREAK_BETWEEN_WORDS = 0.7
_BREAK_AT_COMMA = 0.2
_SHORT_CUE = 0.8  # less than a second of speech, or a word alone
_TOO_FAST = 0.3  # for each character a second too many
_PAUSE_INSIDE = 2.0  # for each second of a pause within a cue
_SENTENCE_INSIDE = 1.2  # for each sentence that ends within a cue
_UNEVEN, _LINE_BREAK = 0.4, 1.0  # of two lines, and of where the second one begins
_TOO_WIDE = 1e3
_LONG_PAUSE = 0.4  # seconds that are as good a place to break as a comma

#: Words that begin a phrase: a line or a cue does not end with one of them.
_OPENING_WORDS = (
    "a an the this that these those my your his her its our their no some any every each "
    "of to in on at by for from with without into onto upon over under about between through "
    "and or but nor so yet if when while because although though unless until than as whether "
    "who whom whose which what where how i you he she it we they "
    "is are was were be been am do does did has have had will would can could shall should may "
    "might must not mr mrs dr"
)
_OPENERS = frozenset(_OPENING_WORDS.split())
_STOPS = frozenset(".?!…")


class TimedText(Protocol):
    """A word, as `asr_runtime.Word` is: its text, and seconds from the beginning of the audio."""

    @property
    def text(self) -> str:
        """The word as it is shown, with the sign after it."""

    @property
    def start(self) -> float:
        """When it begins."""

    @property
    def end(self) -> float:
        """When it ends."""


@dataclass(frozen=True)
class Cue:
    """What is on screen at one time.

    Attributes:
        start: seconds from the beginning of the audio.
        end: seconds; not after the next cue's start.
        lines: one or two, each with its words.
    """

    start: float
    end: float
    lines: tuple[tuple[TimedText, ...], ...]

    @property
    def text(self) -> str:
        """The lines, joined by a line feed."""
        return "\n".join(" ".join(word.text for word in line) for line in self.lines)


class CueBuilder:
    """Makes cues of words that come bit by bit, in memory that does not grow with the audio."""

    def __init__(self) -> None:
        self._words: list[TimedText] = []
        self._held: Cue | None = None

    def feed(self, words: Iterable[TimedText]) -> Iterator[Cue]:
        """Take the next words, in order; yield the cues that nothing later can change."""
        for word in words:
            if self._words and word.start - self._words[-1].end >= SILENCE_SECONDS:
                yield from self._release(_break(self._words))
                self._words = []
            self._words.append(word)
            if len(self._words) >= _PENDING_WORDS:
                *decided, last = _break(self._words)
                yield from self._release(decided)
                self._words = [word for line in last for word in line]

    def finish(self) -> Iterator[Cue]:
        """Yield the remaining cues."""
        yield from self._release(_break(self._words))
        self._words = []
        if self._held is not None:
            yield self._held
            self._held = None

    def _release(self, layouts: Iterable[tuple[tuple[TimedText, ...], ...]]) -> Iterator[Cue]:
        # A cue's end depends on the next one's start, so that one is always held back.
        for lines in layouts:
            words = [word for line in lines for word in line]
            held, start = self._held, words[0].start
            if held is not None:
                start = max(start, held.start + 0.001)
                yield Cue(held.start, _ended_before(held, start), held.lines)
            characters = sum(len(word.text) + 1 for word in words) - 1
            shown = max(SHORTEST_SECONDS, characters / CHARACTERS_PER_SECOND)
            end = max(words[-1].end + _LINGER_SECONDS, start + min(shown, LONGEST_SECONDS))
            longest = max(LONGEST_SECONDS, words[-1].end - start)  # for a single endless word
            self._held = Cue(start, min(end, start + longest), lines)


def cues(words: Iterable[TimedText]) -> list[Cue]:
    """The cues of a whole recording."""
    builder = CueBuilder()
    return [*builder.feed(words), *builder.finish()]


def srt_cue(cue: Cue, number: int) -> str:
    """A cue of a SubRip file, with the empty line after it; `number` counts from 1."""
    return f"{number}\n{_clock(cue.start, ',')} --> {_clock(cue.end, ',')}\n{cue.text}\n\n"


def vtt_cue(cue: Cue, *, word_times: bool = False) -> str:
    """A cue of a WebVTT file, with the empty line after it.

    Args:
        cue: what to write.
        word_times: whether every word but the first begins with its time, for players that mark
            the word that is being spoken.
    """
    text = "\n".join(
        " ".join(
            (f"<{_clock(word.start, '.')}>" if word_times and word.start > cue.start else "")
            + _escaped(word.text)
            for word in line
        )
        for line in cue.lines
    )
    return f"{_clock(cue.start, '.')} --> {_clock(cue.end, '.')}\n{text}\n\n"


VTT_HEADER = "WEBVTT\n\n"


TSV_HEADER = "start\tend\ttext\n"


def tsv_row(cue: Cue) -> str:
    """Return a line of a table: when its words begin and end, in milliseconds, and the words.

    The columns are Whisper's. Unlike a subtitle, a row ends with its last word.

    Args:
        cue: What to write, in one line.
    """
    words = [word for line in cue.lines for word in line]
    text = " ".join(" ".join(word.text for word in words).split())
    return f"{round(words[0].start * 1000)}\t{round(words[-1].end * 1000)}\t{text}\n"


def to_srt(words: Iterable[TimedText]) -> str:
    """A SubRip file's text; empty without words."""
    return "".join(srt_cue(cue, number) for number, cue in enumerate(cues(words), 1))


def to_vtt(words: Iterable[TimedText], *, word_times: bool = False) -> str:
    """A WebVTT file's text; of no words its header alone."""
    return VTT_HEADER + "".join(vtt_cue(cue, word_times=word_times) for cue in cues(words))


def to_tsv(words: Iterable[TimedText]) -> str:
    """Return a table of cues in tab-separated values; of no words its header alone."""
    return TSV_HEADER + "".join(map(tsv_row, cues(words)))


def _break(words: Sequence[TimedText]) -> list[tuple[tuple[TimedText, ...], ...]]:
    """The words as cues of lines, at the least cost."""
    count = len(words)
    best = [0.0, *[float("inf")] * count]
    begins = [0] * (count + 1)
    for end in range(1, count + 1):
        after = _break_cost(words, end)
        for begin in range(end - 1, -1, -1):
            part = words[begin:end]
            too_long = part[-1].end - part[0].start > LONGEST_SECONDS
            _, badness = _line_cut(part)
            if end - begin > 1 and (too_long or badness >= _TOO_WIDE):
                break
            cost = best[begin] + _CUE + after + _cue_cost(words, begin, end) + badness
            if cost < best[end]:
                best[end], begins[end] = cost, begin
    bounds = [count]
    while bounds[-1]:
        bounds.append(begins[bounds[-1]])
    return [_lines(words[begin:end]) for end, begin in pairwise(bounds)][::-1]


def _cue_cost(words: Sequence[TimedText], begin: int, end: int) -> float:
    part = words[begin:end]
    until = words[end].start if end < len(words) else part[-1].end + _LINGER_SECONDS
    seconds = max(0.05, min(until, part[0].start + LONGEST_SECONDS) - part[0].start)
    cost = _TOO_FAST * max(0.0, _length(part) / seconds - CHARACTERS_PER_SECOND)
    if seconds < SHORTEST_SECONDS or len(part) == 1:
        cost += _SHORT_CUE
    pauses = [second.start - first.end for first, second in pairwise(part)]
    cost += _PAUSE_INSIDE * sum(pause for pause in pauses if pause > _LONG_PAUSE)
    signs = sum(word.text[-1:] in _STOPS for word in part[:-1])
    return cost + _SENTENCE_INSIDE * signs


def _break_cost(words: Sequence[TimedText], end: int) -> float:
    """How bad it is that a cue ends before word `end`."""
    if end == len(words):
        return 0.0
    last = words[end - 1]
    if last.text[-1:] in _STOPS:
        return 0.0
    pause = words[end].start - last.end
    if last.text[-1:] in ",;:" or pause >= _LONG_PAUSE:
        return _BREAK_AT_COMMA * max(0.0, 1.0 - pause)
    cost = _BREAK_INSIDE_PHRASE if _opens(last) else _BREAK_BETWEEN_WORDS
    return cost - min(pause, _LONG_PAUSE)


def _lines(words: Sequence[TimedText]) -> tuple[tuple[TimedText, ...], ...]:
    """One line if it fits, else two."""
    cut, _ = _line_cut(words)
    return tuple(tuple(line) for line in (words[:cut], words[cut:]) if line)


def _line_cut(words: Sequence[TimedText]) -> tuple[int, float]:
    """Where the second line begins, and how bad that is: lines as even as may be, whole phrases."""
    count, total = len(words), _length(words)
    if total <= LINE_CHARACTERS or count == 1:
        return count, 0.0
    cut, badness = count, float("inf")
    first = -1
    for place in range(1, count):
        first += len(words[place - 1].text) + 1
        second = total - first - 1
        if max(first, second) > LINE_CHARACTERS:
            continue
        uneven = abs(first - second) / LINE_CHARACTERS
        found = _UNEVEN * uneven + _LINE_BREAK * _break_cost(words, place)
        if found < badness:
            cut, badness = place, found
    return cut, min(badness, _TOO_WIDE)


def _opens(word: TimedText) -> bool:
    return word.text.lower() in _OPENERS


def _length(words: Sequence[TimedText]) -> int:
    return sum(len(word.text) + 1 for word in words) - 1


def _ended_before(cue: Cue, start: float) -> float:
    """The end of a cue when the next one starts at `start`."""
    gap = GAP_SECONDS if start - cue.start > 2 * GAP_SECONDS else 0.0
    return max(min(cue.end, start - gap), cue.start + 0.001)


def _clock(seconds: float, point: str) -> str:
    milliseconds = round(seconds * 1000)
    minutes, milliseconds = divmod(milliseconds, 60_000)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{milliseconds // 1000:02}{point}{milliseconds % 1000:03}"


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
