"""The beam search in the middle of an utterance, and what it finds."""

from dataclasses import dataclass, field

from asr_runtime.decoding.hypotheses import TRACE, Hypotheses, Integers
from asr_runtime.decoding.trace import Trace


@dataclass(frozen=True)
class Found:
    """The best text of an utterance.

    labels: its classes, single word boundaries between words; or the pronunciations of its words
        [labels].
    entered: frame from which on the search spelled each label [labels].
    score: nats.
    """

    labels: Integers
    entered: Integers
    score: float


@dataclass(frozen=True)
class Spelled:
    """What all hypotheses have spelled [hypotheses, labels of the longest].

    labels: as in `Found`; after them whatever is no label.
    entered: frame from which on each label was spelled, or whatever will follow the last one.
    since: frame from which on it stands that the text before each label has ended.
    """

    labels: Integers
    entered: Integers
    since: Integers


@dataclass
class SearchState:
    """How far the search of one utterance has come.

    beam: the hypotheses after the last frame.
    trace: how they were spelled.
    frames: searched so far; the frames in `trace` count from the first of these.
    """

    beam: Hypotheses
    trace: Trace = field(default_factory=Trace)
    frames: int = 0

    def spelled(self) -> tuple[Integers, Integers]:
        """Labels of every hypothesis, and the frames they were added in, as `Trace.paths` does."""
        return self.trace.paths(self.beam.whole[TRACE])

    def forget(self, labels: int) -> None:
        """Leave out the first labels, which all hypotheses must share, from what is spelled."""
        prefixes = self.beam.whole[TRACE]
        prefixes[:] = self.trace.keep(prefixes, labels)
