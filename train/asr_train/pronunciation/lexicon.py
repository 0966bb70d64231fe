"""Lexicons: the pronunciations of all words of a text, as lines ``word PH PH PH``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from asr_runtime.language.grapheme_to_phoneme import MAX_LETTERS, GraphemeToPhoneme
from asr_runtime.language.phonemes import format_phonemes, parse_phonemes
from asr_runtime.language.pronunciations import MAX_VARIANTS
from asr_train.data.text import CorpusReport, read_blocks
from asr_train.errors import DataError
from asr_train.pronunciation.cmudict import Pronunciations
from asr_train.pronunciation.derivation import derive

#: A second pronunciation by spelling is at least so probable, as a share of the first one.
_IN_DOUBT = 0.3

#: Pronounces words from their letters; nothing where it cannot.
Speller = Callable[[Sequence[str]], list[tuple[bytes, ...]]]


@dataclass
class Lexicon:
    """Pronunciations of words, and where they are from.

    Attributes:
        words: pronunciations of each word as phoneme ids, at most ``MAX_VARIANTS``, the usual one
            first.
        sources: number of words from each source: ``dictionary``, ``rules``, ``spelling``.
        unknown: words that nothing could pronounce.
    """

    words: dict[str, tuple[bytes, ...]] = field(default_factory=dict)
    sources: Counter[str] = field(default_factory=Counter)
    unknown: list[str] = field(default_factory=list)


def count_words(paths: list[Path]) -> Counter[str]:
    """How often each word stands in texts, manifests or lists of words.

    Raises:
        DataError: a file that cannot be read or holds no words.
    """
    counts: Counter[bytes] = Counter()
    for block in read_blocks(paths, CorpusReport()):
        counts.update(block.split())
    return Counter({word.decode("ascii"): number for word, number in counts.items()})


def make_lexicon(
    words: Iterable[str], dictionary: Pronunciations, speller: Speller | None = None
) -> Lexicon:
    """Pronounce words by the dictionary, else by rule from words in it, else by their letters.

    Args:
        words: in letters ``a``-``z`` and ``'``.
        dictionary: pronunciations of known words.
        speller: pronounces all other words; without it they are reported as unknown.
    """
    lexicon = Lexicon()
    left = []
    for word in sorted(set(words)):
        source, spoken = "dictionary", dictionary.get(word, ())
        if not spoken:
            source, spoken = "rules", derive(word, dictionary)
        if spoken:
            lexicon.words[word] = spoken[:MAX_VARIANTS]
            lexicon.sources[source] += 1
        else:
            left.append(word)
    spelled = speller(left) if speller is not None else [()] * len(left)
    for word, spoken in zip(left, spelled, strict=True):
        if spoken:
            lexicon.words[word] = spoken[:MAX_VARIANTS]
            lexicon.sources["spelling"] += 1
        else:
            lexicon.unknown.append(word)
    return lexicon


def spell(model: GraphemeToPhoneme) -> Speller:
    """A speller by a grapheme-to-phoneme model: two pronunciations where it is in doubt.

    Words that are too long for it have none.
    """

    def speller(words: Sequence[str]) -> list[tuple[bytes, ...]]:
        possible = [word for word in words if len(word) <= MAX_LETTERS]
        found = dict(zip(possible, model.pronounce_all(possible, 2, _IN_DOUBT), strict=True))
        return [found.get(word, ()) for word in words]

    return speller


def write_lexicon(path: Path, words: Mapping[str, Iterable[bytes]]) -> None:
    """Write one line for each pronunciation, words in alphabetical order."""
    lines = [
        f"{word} {format_phonemes(pronunciation)}\n"
        for word in sorted(words)
        for pronunciation in words[word]
    ]
    path.write_text("".join(lines), encoding="ascii")


def read_lexicon(path: Path) -> dict[str, tuple[bytes, ...]]:
    """The pronunciations of each word, in the file's order, as phoneme ids.

    Raises:
        DataError: no such file, no lines, or a line that is no word with phonemes. The message
            gives the line's number.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise DataError(f"{path}: cannot read the lexicon: {error.strerror}") from None
    except UnicodeDecodeError:
        raise DataError(f"{path}: not a UTF-8 text file; give a lexicon") from None
    words: dict[str, list[bytes]] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        word, _, phonemes = line.strip().partition(" ")
        try:
            pronunciation = parse_phonemes(phonemes)
        except ValueError as error:
            raise DataError(f"{path}:{number}: {error}") from None
        known = words.setdefault(word, [])
        if pronunciation not in known:
            known.append(pronunciation)
    if not words:
        raise DataError(f"{path}: the lexicon is empty; make one with: asr-train lexicon")
    return {word: tuple(known) for word, known in words.items()}
