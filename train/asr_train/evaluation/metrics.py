"""Word and character error rates (jiwer), and the utterances that cost most."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import jiwer


@dataclass(frozen=True)
class ErrorRates:
    """Edits over reference length: 0.25 is 25 %; insertions can take it above 1."""

    word_error_rate: float
    character_error_rate: float
    words: int


def error_rates(references: Sequence[str], hypotheses: Sequence[str]) -> ErrorRates:
    """Error rates of a set, pooled over its utterances; references must not be empty."""
    words = jiwer.process_words(list(references), list(hypotheses))
    characters = jiwer.process_characters(list(references), list(hypotheses))
    count = words.hits + words.substitutions + words.deletions
    return ErrorRates(words.wer, characters.cer, count)


def matching_words(first: Sequence[str], second: Sequence[str]) -> list[tuple[int, int]]:
    """Indices of words that two texts have in common where they are aligned, in order.

    Args:
        first: Words of one text.
        second: Words of the other; the alignment is that of the word error rate.
    """
    if not first or not second:
        return []
    (chunks,) = jiwer.process_words(" ".join(first), " ".join(second)).alignments
    return [
        (chunk.ref_start_idx + step, chunk.hyp_start_idx + step)
        for chunk in chunks
        if chunk.type == "equal"
        for step in range(chunk.ref_end_idx - chunk.ref_start_idx)
    ]


def word_errors(reference: str, hypothesis: str) -> int:
    """Substituted, deleted and inserted words of one utterance."""
    result = jiwer.process_words(reference, hypothesis)
    return result.substitutions + result.deletions + result.insertions
