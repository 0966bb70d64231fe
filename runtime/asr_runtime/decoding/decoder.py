"""What a beam search offers, by letters or by phonemes, to decoders of whole and endless speech."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from asr_runtime.decoding.alignment import Frames
from asr_runtime.decoding.greedy import Decoding
from asr_runtime.decoding.heads import Heads, Rows
from asr_runtime.decoding.hypotheses import Integers
from asr_runtime.decoding.rescoring import Rescorer
from asr_runtime.decoding.search_state import SearchState
from asr_runtime.decoding.traceback import BestPath, Spelled
from asr_runtime.decoding.word_graph import WordGraph
from asr_runtime.language.language_model import LanguageModel
from asr_runtime.timed_text import Token


class Alignment(Protocol):
    """The units of a text, letters or words, and when each was spoken."""

    @property
    def last(self) -> Frames:
        """Last frame of each unit, int64 [units]."""

    def before(self: P, place: int) -> P:
        """Return the alignment of the units before one of them."""


P = TypeVar("P", bound=Alignment)
S = TypeVar("S", bound=SearchState)


class Search(Protocol[S]):
    """Finds the best text of frames that come some at a time; see `BeamSearch`."""

    @property
    def shared(self) -> int:
        """How many labels from a boundary on hypotheses must share to part there."""

    def begin(self, *, notes: bool = False) -> S:
        """Return the state before an utterance, with notes if there will be `alternatives`."""

    def advance(self, state: S, log_probs: Rows) -> None:
        """Search the next frames [frames, classes]."""

    def conclude(self, state: S) -> None:
        """Make the state that of an utterance that ends here."""

    def best(self, state: S) -> BestPath:
        """Return the text that is ahead so far."""

    def leader(self, state: S) -> int:
        """Return the index of the hypothesis that is ahead."""

    def finish(self, state: S) -> BestPath:
        """Return the best text of an utterance that ends here."""

    def alternatives(self, state: S) -> Iterator[BestPath]:
        """Yield its best texts, the most probable first, if the search was begun with notes."""

    def graph(self, state: S, threshold: float) -> WordGraph:
        """Return all texts so many nats below the best one, if the search was begun with notes."""

    def blank_frames(self, log_probs: Rows) -> npt.NDArray[np.bool_]:
        """Tell in which frames no label is considered, bool [frames]."""

    def spelled(self, state: S) -> Spelled:
        """Return what all hypotheses have spelled."""

    def boundaries(self, labels: Integers) -> Integers:
        """Return where a hypothesis that spelled these labels may be parted, int64 [places]."""


class Aligner(Protocol[P]):
    """Finds when a text was spoken, and writes tokens; see `TokenAligner`."""

    def align(
        self,
        rows: Rows,
        labels: Integers,
        start_frames: Frames,
        blank_frames: npt.NDArray[np.bool_],
    ) -> P:
        """Find when each unit was spoken.

        Args:
            rows: Natural-log probabilities [frames, columns of the heads].
            labels: What the search found [units].
            start_frames: Frame from which on it spelled each unit [units].
            blank_frames: Which frames no label can begin in, bool [frames].

        Returns:
            The units with their frames.
        """

    def tokens(
        self,
        rows: Rows,
        aligned: P,
        seconds_per_frame: float,
        offset: int = 0,
        previous: Token | None = None,
    ) -> tuple[Token, ...]:
        """Write the characters of the words that were spoken.

        Args:
            rows: Natural-log probabilities [frames, columns of the heads].
            aligned: What `align` returned for them.
            seconds_per_frame: How far apart frames are.
            offset: Frames before these, for the times.
            previous: Token before these, if there is any.

        Returns:
            Tokens in order.
        """


class Decoder(Protocol[S, P]):
    """Decodes whole utterances, and has what decoders of endless speech are made of."""

    @property
    def heads(self) -> Heads:
        """Columns of the rows that it decodes."""

    @property
    def search(self) -> Search[S]:
        """What finds the text."""

    @property
    def aligner(self) -> Aligner[P]:
        """What finds when the text was spoken."""

    @property
    def language_model(self) -> LanguageModel:
        """What it knows of words and their order."""

    @property
    def rescorer(self) -> Rescorer | None:
        """What compares the best texts once more; None if nothing does."""

    def word_ids(self, labels: Integers) -> list[int]:
        """Return the language model's ids [words] of what the search found [labels]."""

    def graph_words(self, graph: WordGraph) -> tuple[list[int], list[int]]:
        """Return the words of a graph.

        Args:
            graph: Of the search.

        Returns:
            Id of the word that ends with each node's label [nodes], and of the word that each
            ending ends in the middle of [endings]; NO_WORD_ID for none.
        """

    def with_hotwords(self, hotwords: Sequence[str]) -> Decoder[S, P]:
        """Return a decoder with the same language model that prefers these words and phrases."""

    def word_log_probs(self, words: Sequence[str]) -> list[float]:
        """Say how much each word of a sentence was to be expected, in nats, 0 or less."""

    def decode(self, rows: Rows, seconds_per_frame: float, /, *, alternatives: int = 1) -> Decoding:
        """Decode one utterance of rows [frames, columns of the heads].

        Of more than one of ``alternatives``, these are there too.
        """


AnyDecoder = Decoder[Any, Any]
