"""Which words a punctuation model knows: with rows of their own, as names, and as no names."""

from __future__ import annotations

from collections import Counter

import numpy as np

from asr_runtime.readable_text.annotation import Case
from asr_runtime.readable_text.hashed_words import HashedWords
from asr_runtime.readable_text.word_table import WordTable
from asr_train.punctuation.corpus import AnnotatedCorpus
from asr_train.punctuation.word_counts import WordCounts

_LEAST_COUNT = 2
"""Words without rows that occur less often may be misprints."""


def choose_words(
    corpus: AnnotatedCorpus,
    words: int,
    names: int,
    rare: int = 0,
    further: WordCounts | None = None,
) -> WordTable:
    """Choose the words that a model knows.

    Args:
        corpus: What it learns from.
        words: How many of the most frequent get rows of their own.
        names: How many further names to tell from other unknown words.
        rare: How many further words to know as no names.
        further: Words of more texts, to find names and rare words in.

    Returns:
        The table. A name is a word that has a capital letter within sentences more often than not.
    """
    tokens, _, _ = corpus.arrays()
    types = list(corpus.types)
    order = np.argsort(-np.bincount(tokens, minlength=len(types)), kind="stable")
    known = [types[index] for index in order[:words]]
    counts = _counts(corpus)
    forms = _Forms(corpus, counts)
    entries = [forms.written(word) for word in known]
    if further is not None:
        counts.lower.update(further.lower)
        counts.capitalised.update(further.capitalised)
    unknown = Counter(counts.lower)
    unknown.update(counts.capitalised)
    for word in known:
        del unknown[word]
    # Possessives are what their stems are.
    others = [
        word
        for word, count in unknown.most_common()
        if count >= _LEAST_COUNT and not word.endswith("'s")
    ]
    ordinary = HashedWords.of([word for word in others if not counts.is_name(word)][:rare])
    listed = [forms.written(word) for word in others if counts.is_name(word)][:names]
    if len(ordinary):
        # All unknown words count as names, but for those that the set holds by mistake.
        listed = [
            name for name in listed if name[1:] != name[1:].lower() or name.lower() in ordinary
        ]
    return WordTable(" ".join(entries), " ".join(listed), ordinary)


def _counts(corpus: AnnotatedCorpus) -> WordCounts:
    """Return how often the words of a corpus are written with capital letters and without."""
    tokens, _, cases = corpus.arrays()
    lower = np.bincount(tokens[cases == Case.LOWER], minlength=len(corpus.types))
    counts = WordCounts(Counter(dict(zip(corpus.types, lower.tolist(), strict=True))))
    for written, count in corpus.capitalised.items():
        counts.capitalised[written.lower()] += count
    return counts


class _Forms:
    """How the words of a corpus are usually written within sentences.

    Args:
        corpus: The corpus.
        counts: Of its words, and perhaps of more.
    """

    def __init__(self, corpus: AnnotatedCorpus, counts: WordCounts) -> None:
        self._counts = counts
        self._forms: dict[str, tuple[int, str]] = {}
        for written, count in corpus.capitalised.items():
            word = written.lower()
            if written[1:] != word[1:]:
                self._forms[word] = max(self._forms.get(word, (0, "")), (count, written))

    def written(self, word: str) -> str:
        """Return a word with the capitals that it usually has, ``McDonald``."""
        if not self._counts.is_name(word):
            return word
        count, form = self._forms.get(word, (0, ""))
        is_usual = 2 * count > self._counts.capitalised[word] and not form.isupper()
        return form if is_usual else word[:1].upper() + word[1:]
