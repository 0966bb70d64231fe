"""Beam search by phonemes, as `BeamDecoder` is by letters: log-probabilities in, text out."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from asr_runtime.decoding.alternatives import with_alternatives
from asr_runtime.decoding.beam_config import BeamConfig, PhonemeBeamConfig
from asr_runtime.decoding.beam_decoder import decoding_of, without_leading_space
from asr_runtime.decoding.best_texts import best_texts
from asr_runtime.decoding.greedy import Decoding
from asr_runtime.decoding.heads import Heads, Rows
from asr_runtime.decoding.hypotheses import Integers
from asr_runtime.decoding.phoneme_search import PhonemeSearch
from asr_runtime.decoding.rescoring import make_rescorer
from asr_runtime.decoding.traceback import BestPath
from asr_runtime.decoding.word_alignment import WordAligner
from asr_runtime.decoding.word_graph import WordGraph
from asr_runtime.decoding.word_histories import NO_WORD_ID
from asr_runtime.decoding.word_scores import WordScorer, with_hotwords
from asr_runtime.language.language_model import LanguageModel
from asr_runtime.language.pronunciation_tree import build_pronunciation_tree
from asr_runtime.language.pronunciations import Pronunciations, add_pronunciations, spoken_as
from asr_runtime.timed_text import Token

if TYPE_CHECKING:
    from asr_runtime.language.spoken_hotwords import SpokenPhrase


class PhonemeDecoder:
    """Decodes the output of a model with a phoneme head; open to words outside its vocabulary.

    Nothing of it changes while it decodes, so that threads may share one.

    Attributes:
        config: Settings of the search.
        language_model: What it knows of words and their order.
        vocabulary: Text of each letter class.
        heads: Columns of the rows that it decodes.
        search: Finds the text. With ``aligner``, it is what a decoder of endless speech is made of.
        aligner: Finds when the text was spoken.
        rescorer: Compares the best texts once more; None if nothing does.
    """

    def __init__(
        self,
        model: LanguageModel,
        pronunciations: Pronunciations,
        vocabulary: Sequence[str],
        blank_id: int,
        hotwords: Sequence[str] = (),
        config: BeamConfig | None = None,
    ) -> None:
        """Build the tree of pronunciations and what scores its words.

        Args:
            model: Language model.
            pronunciations: How its words are spoken.
            vocabulary: Text of each letter class.
            blank_id: The letter head's blank.
            hotwords: Words or phrases to prefer, as `parse_hotword` reads them.
            config: Settings of the search; None for the defaults.

        Raises:
            DecoderError: A hotword cannot be pronounced.
        """
        self.config = config or PhonemeBeamConfig()
        self.language_model = model
        self._pronunciations = pronunciations
        self.vocabulary = tuple(vocabulary)
        self.heads = Heads(len(self.vocabulary), blank_id, phonemes=True)
        known = model.words
        phrases: list[SpokenPhrase] = []
        if hotwords:
            # Imported here because most have none.
            from asr_runtime.language.spoken_hotwords import pronounce_hotwords

            phrases = pronounce_hotwords(hotwords, partial(spoken_as, pronunciations, known))
        weights = {phrase.words: phrase.weight for phrase in phrases}
        words = with_hotwords(known, weights)
        added: dict[str, tuple[bytes, ...]] = {}
        for phrase in phrases:
            for word, spoken in zip(phrase.words, phrase.pronunciations, strict=True):
                added[word] = tuple(dict.fromkeys((*added.get(word, ()), *spoken)))
        scorer = self._words = WordScorer(model, known, words, weights, self.config)
        tree = build_pronunciation_tree(
            add_pronunciations(pronunciations, known, words, added),
            scorer.expected,
            scorer.expected_unknown,
            self.config.variant_penalty,
            scorer.gains,
        )
        self._tree = tree
        self.search = PhonemeSearch(tree, scorer, self.config)
        self.rescorer = make_rescorer(model, self.config)
        self.aligner = WordAligner(
            tree, words, self.vocabulary, self.heads, self.config.silence_threshold
        )

    def with_hotwords(self, hotwords: Sequence[str]) -> PhonemeDecoder:
        """Return a decoder with the same language model and settings, and these hotwords alone.

        Args:
            hotwords: Words or phrases to prefer, as `parse_hotword` reads them.

        Raises:
            DecoderError: A hotword cannot be pronounced.
        """
        return PhonemeDecoder(
            self.language_model,
            self._pronunciations,
            self.vocabulary,
            self.heads.letter_blank,
            hotwords,
            self.config,
        )

    def word_log_probs(self, words: Sequence[str]) -> list[float]:
        """Say how much each word of a sentence was to be expected; see `WordScorer.log_probs`."""
        return self._words.log_probs(words)

    def decode(self, rows: Rows, seconds_per_frame: float, *, alternatives: int = 1) -> Decoding:
        """Decode one utterance.

        Times and confidences are those of the most probable path through the phonemes of the words;
        see `word_alignment`. Words that silence explains better are left out.

        Args:
            rows: Natural-log probabilities [frames, columns of the heads].
            seconds_per_frame: How far apart frames are.
            alternatives: How many texts to find; with more than one they are in the result.

        Returns:
            The text with its characters' times and confidences.

        Raises:
            ValueError: The shape does not fit.
        """
        self.heads.check(rows)
        log_probs = self.heads.heard(rows)
        notes = alternatives > 1 or self.rescorer is not None
        state = self.search.begin(notes=notes)
        self.search.advance(state, log_probs)
        blank_frames = self.search.blank_frames(log_probs)

        def tokens(path: BestPath) -> tuple[Token, ...]:
            aligned = self.aligner.align(rows, path.labels, path.start_frames, blank_frames)
            return without_leading_space(self.aligner.tokens(rows, aligned, seconds_per_frame))

        written, best, paths = best_texts(self, state, tokens)
        decoding = decoding_of(written, log_probs[:, self.heads.blank])
        return with_alternatives(decoding, best.score, paths, tokens, alternatives)

    def word_ids(self, labels: Integers) -> list[int]:
        """Return the language model's ids [words] of what the search found [labels]."""
        return self._words.word_ids(self._tree.word[labels])

    def graph_words(self, graph: WordGraph) -> tuple[list[int], list[int]]:
        """Return the words of a graph, each of whose labels is one; see `Decoder.graph_words`."""
        labels = graph.traceback.labels[graph.prefixes[1:]].astype(np.int64)
        return [NO_WORD_ID, *self.word_ids(labels)], [NO_WORD_ID] * len(graph.ends)
