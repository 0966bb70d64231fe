"""What a beam search offers, be it by letters or by phonemes."""

from typing import Any, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from asr_runtime.decoding.alignment import Frames
from asr_runtime.decoding.greedy import Decoding
from asr_runtime.decoding.heads import Heads, Rows
from asr_runtime.decoding.search_state import BestPath, Integers, SearchState, Spelled
from asr_runtime.transcript import Token


class Alignment(Protocol):
    """The units of a found text, letters or words, and when each was spoken."""

    @property
    def last(self) -> Frames:
        """The last frame of each unit."""

    def before(self: "P", place: int) -> "P":
        """Those before one of them."""


P = TypeVar("P", bound=Alignment)
S = TypeVar("S", bound=SearchState)


class Search(Protocol[S]):
    """Finds the best text, frames coming piece by piece; see `BeamSearch`."""

    @property
    def shared(self) -> int:
        """How many labels from a boundary on hypotheses must share to part there."""

    def begin(self) -> S:
        """The state before an utterance."""

    def advance(self, state: S, log_probs: Rows) -> None:
        """Search the next frames."""

    def best(self, state: S) -> BestPath:
        """The text that is ahead so far."""

    def leader(self, state: S) -> int:
        """Which hypothesis is ahead."""

    def finish(self, state: S) -> BestPath:
        """The best text of an utterance that ends here."""

    def blank_frames(self, log_probs: Rows) -> npt.NDArray[np.bool_]:
        """Frames in which no label is considered."""

    def spelled(self, state: S) -> Spelled:
        """What all hypotheses have spelled."""

    def boundaries(self, labels: Integers) -> Integers:
        """Places at which a hypothesis that spelled these labels may be parted."""


class Aligner(Protocol[P]):
    """Finds when a text was spoken, and writes tokens; see `TokenAligner`."""

    def align(
        self,
        rows: Rows,
        labels: Integers,
        start_frames: Frames,
        blank_frames: npt.NDArray[np.bool_],
    ) -> P:
        """When each unit was spoken."""

    def tokens(
        self,
        rows: Rows,
        aligned: P,
        seconds_per_frame: float,
        offset: int = 0,
        previous: Token | None = None,
    ) -> tuple[Token, ...]:
        """The characters of the words that were spoken."""


class Decoder(Protocol[S, P]):
    """Decodes fields utterances, and has what decoders of endless speech are made of."""

    @property
    def heads(self) -> Heads:
        """The columns of the rows that it decodes."""

    @property
    def search(self) -> Search[S]:
        """Finds the text."""

    @property
    def aligner(self) -> Aligner[P]:
        """Finds when it was spoken."""

    def decode(self, rows: Rows, seconds_per_frame: float, /) -> Decoding:
        """Decode one utterance."""


AnyDecoder = Decoder[Any, Any]
