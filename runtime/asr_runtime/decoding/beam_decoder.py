"""Beam search by letters, as `greedy_decode` is: log-probabilities in, text with times out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from asr_runtime.decoding.alternatives import with_alternatives
from asr_runtime.decoding.beam_config import BeamConfig
from asr_runtime.decoding.beam_search import BeamSearch
from asr_runtime.decoding.best_texts import best_texts
from asr_runtime.decoding.greedy import (
    WORD_BOUNDARY,
    Decoding,
    check_log_probs,
    mean_probability,
)
from asr_runtime.decoding.heads import Heads
from asr_runtime.decoding.hotwords import split_hotwords
from asr_runtime.decoding.hypotheses import Integers
from asr_runtime.decoding.letter_alignment import TokenAligner
from asr_runtime.decoding.rescoring import make_rescorer
from asr_runtime.decoding.traceback import BestPath
from asr_runtime.decoding.word_graph import WordGraph
from asr_runtime.decoding.word_histories import NO_WORD_ID
from asr_runtime.decoding.word_scores import WordScorer, with_hotwords
from asr_runtime.errors import LanguageModelError
from asr_runtime.language.label_priors import label_priors
from asr_runtime.language.language_model import LanguageModel
from asr_runtime.language.lexicon import build_lexicon
from asr_runtime.timed_text import Token, geometric_mean

# Letters of all words times classes: the most that the lexicon's table can have, at 4 bytes each.
_MAX_LEXICON = 1 << 26


class BeamDecoder:
    """Decodes with a language model; open to words outside its vocabulary.

    Nothing of it changes while it decodes, so that threads may share one.

    Attributes:
        config: Settings of the search.
        language_model: What it knows of words and their order.
        vocabulary: Text of each class.
        heads: Columns of the rows that it decodes.
        search: Finds the text. With ``aligner``, it is what a decoder of endless speech is made of.
        aligner: Finds when the text was spoken.
        rescorer: Compares the best texts once more; None if nothing does.
    """

    def __init__(
        self,
        model: LanguageModel,
        vocabulary: Sequence[str],
        blank_id: int,
        hotwords: Sequence[str] = (),
        config: BeamConfig | None = None,
    ) -> None:
        """Build the lexicon and what scores its words.

        Args:
            model: Language model; its words must consist of classes of the vocabulary.
            vocabulary: Text of each class; a space must be among them.
            blank_id: The blank's class.
            hotwords: Words or phrases to prefer, as `parse_hotword` reads them.
            config: Settings of the search; None for the defaults.

        Raises:
            LanguageModelError: The language model does not fit the vocabulary.
            DecoderError: A hotword cannot be spelled.
        """
        self.config = config or BeamConfig()
        self.vocabulary = tuple(vocabulary)
        self.language_model = model
        self._blank = blank_id
        self.heads = Heads(len(self.vocabulary), blank_id)
        known = model.words
        problem = _misfit(known, vocabulary)
        if problem is not None:
            raise LanguageModelError(problem)
        space = self.vocabulary.index(WORD_BOUNDARY)
        phrases = split_hotwords(hotwords, vocabulary)
        words = with_hotwords(known, phrases)
        scorer = self._words = WordScorer(model, known, words, phrases, self.config)
        lexicon = build_lexicon(words, scorer.expected, vocabulary)
        priors = label_priors(known, model.unigrams, vocabulary, WORD_BOUNDARY)
        self.search = BeamSearch(lexicon, scorer, priors, blank_id, space, self.config)
        self.rescorer = make_rescorer(model, self.config)
        self.aligner = TokenAligner(vocabulary, blank_id, space, self.config.silence_threshold)

    def with_hotwords(self, hotwords: Sequence[str]) -> BeamDecoder:
        """Return a decoder with the same language model and settings, and these hotwords alone.

        Args:
            hotwords: Words or phrases to prefer, as `parse_hotword` reads them.

        Raises:
            DecoderError: A hotword cannot be spelled.
        """
        return BeamDecoder(self.language_model, self.vocabulary, self._blank, hotwords, self.config)

    def word_log_probs(self, words: Sequence[str]) -> list[float]:
        """Say how much each word of a sentence was to be expected; see `WordScorer.log_probs`."""
        return self._words.log_probs(words)

    def decode(
        self,
        log_probs: npt.NDArray[np.floating[Any]],
        seconds_per_frame: float,
        *,
        alternatives: int = 1,
    ) -> Decoding:
        """Decode one utterance.

        Times and confidences are those of the most probable path that spells the text: a character
        lasts from its first frame to its last, and its confidence is the geometric mean of its
        probability over them, in the model's opinion alone. So a letter that the language model put
        in against what was heard has a low one. Words that silence explains better are left out.

        Args:
            log_probs: Natural-log probabilities [frames, classes].
            seconds_per_frame: How far apart frames are.
            alternatives: How many texts to find; with more than one they are in the result.

        Returns:
            The text with its characters' times and confidences.

        Raises:
            ValueError: The shape does not fit the vocabulary.
        """
        check_log_probs(log_probs, self.vocabulary, self._blank)
        notes = alternatives > 1 or self.rescorer is not None
        state = self.search.begin(notes=notes)
        self.search.advance(state, log_probs)
        blank_frames = self.search.blank_frames(log_probs)

        def tokens(path: BestPath) -> tuple[Token, ...]:
            aligned = self.aligner.align(log_probs, path.labels, path.start_frames, blank_frames)
            return self.aligner.tokens(log_probs, aligned, seconds_per_frame)

        written, best, paths = best_texts(self, state, tokens)
        decoding = decoding_of(written, log_probs[:, self._blank])
        return with_alternatives(decoding, best.score, paths, tokens, alternatives)

    def word_ids(self, labels: Integers) -> list[int]:
        """Return the language model's ids [words] of what the search found [labels]."""
        words = "".join(self.vocabulary[label] for label in labels.tolist()).split()
        return self._words.ids_of(words)

    def graph_words(self, graph: WordGraph) -> tuple[list[int], list[int]]:
        """Return the words of a graph, each of which ends with a space."""
        space = self.vocabulary.index(WORD_BOUNDARY)
        words = [NO_WORD_ID] * len(graph.prefixes)
        for node in (graph.traceback.labels[graph.prefixes] == space).nonzero()[0].tolist():
            found = self.word_ids(graph.traceback.follow(int(graph.prefixes[node]))[0])
            if found:
                words[node] = found[-1]
        last = [
            self.word_ids(ending.labels)[-1]
            if words[node] == NO_WORD_ID and len(ending.labels)
            else NO_WORD_ID
            for ending, node in zip(graph.endings, graph.ends, strict=True)
        ]
        return words, last


def decoding_of(tokens: tuple[Token, ...], blank: npt.NDArray[np.floating[Any]]) -> Decoding:
    """Return the decoding that consists of some tokens.

    Args:
        tokens: The tokens, perhaps none.
        blank: Natural-log probabilities of the blank [frames].

    Returns:
        Their text. Without tokens it is empty, and as probable as the blanks.
    """
    if not tokens:
        return Decoding("", (), mean_probability(blank))
    return Decoding(
        text=text_of(tokens),
        tokens=tokens,
        confidence=geometric_mean([token.confidence for token in tokens]),
    )


def text_of(tokens: Sequence[Token]) -> str:
    """Return the text that consists of some tokens."""
    return "".join(token.text for token in tokens)


def _misfit(words: Sequence[str], vocabulary: Sequence[str]) -> str | None:
    """Return why a language model of such words does not fit a vocabulary, or None if it does."""
    if WORD_BOUNDARY not in vocabulary:
        return "needs a model with a space among its classes; use the greedy decoder"
    missing = sorted(set("".join(words)) - set(vocabulary))
    if missing:
        return (
            f"has words with {', '.join(map(repr, missing))}, which the model cannot write; "
            "give a language model that was built for it"
        )
    if sum(map(len, words)) * len(vocabulary) > _MAX_LEXICON:
        return "has too many words for a model of so many classes; use the greedy decoder"
    return None


def without_leading_space(tokens: tuple[Token, ...]) -> tuple[Token, ...]:
    """Return the tokens of a text from its first word on."""
    return tokens[1:] if tokens and tokens[0].text == WORD_BOUNDARY else tokens
