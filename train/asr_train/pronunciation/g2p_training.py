"""Training a grapheme-to-phoneme model from a dictionary, and measuring it on words kept apart."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from asr_runtime.language.grapheme_to_phoneme import GraphemeToPhoneme, spell_out
from asr_runtime.language.graphone_file import read_graphone_model
from asr_train.errors import DataError
from asr_train.output import replacing
from asr_train.pronunciation.cmudict import Pronunciations
from asr_train.pronunciation.g2p_writing import encode_model
from asr_train.pronunciation.graphone_ngrams import Level, count_ngrams, prune, smooth
from asr_train.pronunciation.graphones import Graphone, align

_MOST_GRAPHONES = 255
_CLOSE_ENOUGH = 0.98
_TRIES = 8


@dataclass(frozen=True)
class G2pSettings:
    """What to build.

    Attributes:
        order: graphones of the longest n-grams.
        max_bytes: of the file; n-grams are pruned until it fits.
        held_out: one word in so many is kept apart to measure with; 0 measures nothing.
    """

    order: int = 8
    max_bytes: int = 900_000
    held_out: int = 20


@dataclass(frozen=True)
class G2pRates:
    """Errors on words that the model has not seen, in shares.

    Attributes:
        words: how many.
        phoneme_errors: edits from the nearest listed pronunciation, by its phonemes.
        word_errors: words whose first pronunciation is not listed.
        missed: words of whose three best pronunciations none is listed.
    """

    words: int
    phoneme_errors: float
    word_errors: float
    missed: float


@dataclass(frozen=True)
class G2pReport:
    """What was built: words aligned, those that could not be, n-grams, bytes, error rates."""

    aligned: int
    dropped: list[str]
    ngrams: list[int]
    size: int
    rates: G2pRates | None


def train_g2p(
    dictionary: Pronunciations,
    out: Path,
    settings: G2pSettings,
    description: Mapping[str, Any],
    say: Callable[[str], object] = lambda text: None,
) -> G2pReport:
    """Train on a whole dictionary, after measuring a model that saw only a part of it.

    Args:
        dictionary: pronunciations of words in ``a``-``z`` and ``'``.
        out: file to write.
        settings: see there.
        description: JSON values for readers of the file.
        say: told what is being done.

    Raises:
        DataError: words that cannot be used, or a size that cannot be reached.
        OutputError: the file cannot be written.
    """
    rates = None
    with replacing(out) as partial:
        if settings.held_out:
            held_out = {word for word in dictionary if is_held_out(word, settings.held_out)}
            say(f"training without {len(held_out):,} words, to measure with them")
            seen = {word: dictionary[word] for word in dictionary if word not in held_out}
            partial.write_bytes(_train(seen, settings, description)[0])
            model = GraphemeToPhoneme(read_graphone_model(partial))
            rates = measure(model, {word: dictionary[word] for word in held_out})
            description = {
                **description,
                "held_out_words": rates.words,
                "held_out_phoneme_error_rate": round(rates.phoneme_errors, 4),
                "held_out_word_error_rate": round(rates.word_errors, 4),
            }
        say("training with all words")
        content, aligned, dropped, levels = _train(dictionary, settings, description)
        partial.write_bytes(content)
    return G2pReport(aligned, dropped, [len(level.symbol) for level in levels], len(content), rates)


def is_held_out(word: str, every: int) -> bool:
    """Whether a word is one in ``every`` that are kept apart; the same words each time."""
    return zlib.crc32(word.encode()) % every == 0


def measure(model: GraphemeToPhoneme, words: Pronunciations) -> G2pRates:
    """Error rates of a model on words with their listed pronunciations."""
    if not words:
        raise DataError("no words are kept apart; give a larger dictionary, or --held-out 0")
    spoken = model.pronounce_all(list(words), variants=3, least=1e-6)
    edits = phonemes = wrong = missed = 0
    for found, listed in zip(spoken, words.values(), strict=True):
        distance, length = min((_distance(found[0], one), len(one)) for one in listed)
        edits += distance
        phonemes += length
        wrong += distance > 0
        missed += not set(found) & set(listed)
    return G2pRates(len(words), edits / phonemes, wrong / len(words), missed / len(words))


def training_pairs(dictionary: Pronunciations) -> Iterator[tuple[str, bytes]]:
    """Words with each of their pronunciations, without initials, which say nothing of spelling."""
    for word, spoken in sorted(dictionary.items()):
        initials = spell_out(word)
        for one in spoken:
            if len(word) == 1 or not one.startswith(initials):
                yield word, one


def _train(
    dictionary: Pronunciations, settings: G2pSettings, description: Mapping[str, Any]
) -> tuple[bytes, int, list[str], list[Level]]:
    pairs = list(training_pairs(dictionary))
    alignments = align(pairs, _MOST_GRAPHONES)
    levels = count_ngrams(alignments.sequences, settings.order)
    smooth(levels)
    content, levels = _fit(alignments.graphones, levels, settings.max_bytes, description)
    return content, len(alignments.sequences), alignments.dropped, levels


def _fit(
    graphones: Sequence[Graphone],
    levels: list[Level],
    max_bytes: int,
    description: Mapping[str, Any],
) -> tuple[bytes, list[Level]]:
    """The file of the largest model that fits, nearly."""
    content = encode_model(graphones, levels, description)
    if len(content) <= max_bytes:
        return content, levels
    everything = sum(len(level.symbol) for level in levels)
    most = everything * max_bytes // len(content)
    best: tuple[bytes, list[Level]] | None = None
    for _ in range(_TRIES):
        pruned = prune(levels, most)
        content = encode_model(graphones, pruned, description)
        if len(content) <= max_bytes and (best is None or len(content) > len(best[0])):
            best = content, pruned
        if _CLOSE_ENOUGH * max_bytes <= len(content) <= max_bytes:
            break
        # A file grows nearly in proportion with its n-grams.
        most = int(most * 0.99 * max_bytes / len(content))
    if best is None:
        raise DataError(f"no model fits in {max_bytes:,} bytes; allow more")
    return best


def _distance(first: bytes, second: bytes) -> int:
    """Fewest phonemes to insert, delete or replace (Levenshtein)."""
    row = list(range(len(second) + 1))
    for place, phoneme in enumerate(first, start=1):
        diagonal, row[0] = row[0], place
        for column, other in enumerate(second, start=1):
            diagonal, row[column] = (
                row[column],
                min(row[column] + 1, row[column - 1] + 1, diagonal + (phoneme != other)),
            )
    return row[-1]
