"""Whether something takes another time in a second run, the machine's own moods taken out.

Two runs of one build differ by some percent, because the machine does. What cannot have changed,
the rooflines and other projects' engines of the same version, tells by how much: these are the
controls.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from asr_bench.measuring.bootstrap import RESAMPLES, Interval, Resamples, Values, interval

#: Of the intervals that decide: a comparison holds a hundred of them or more.
CONFIDENCE = 0.99

#: Likewise, over several settings together: there are few of these.
CONFIDENCE_TOGETHER = 0.95

#: A control that is not known better than this is none.
CONTROL_WIDTH = 0.1

#: How well a control tells of another program at best, however steady it is itself.
CONTROL_ACCURACY = 0.01

#: The machine's change of speed up to which the controls are believed alone.
MOST_DRIFT = 0.1


@dataclass(frozen=True)
class Pair:
    """Seconds, or whatever is more when slower, in the first run and in the second.

    Attributes:
        before: in the order of the rounds, more than 0.
        after: likewise.
        same_work: whether samples at one index are of one piece of work, unlike the others.
        elsewhere: if not 0, these were measured at other times than what they are a control of,
            which took some so many rounds.
    """

    before: tuple[float, ...]
    after: tuple[float, ...]
    same_work: bool = False
    elsewhere: int = 0


@dataclass(frozen=True)
class SpeedChange:
    """Ratios of medians, second run over first; above 1 is slower.

    Attributes:
        measured: as the samples have it.
        machine: of the controls; 1 without any.
        controls: how many tell.
        offered: how many there were; the others wandered too much to tell anything.
        measured_draws: logarithms of ``measured``, of draws of rounds.
        corrected_draws: likewise of ``measured`` over ``machine``.
        confidence: of the intervals.
    """

    measured: float
    machine: float
    controls: int
    offered: int
    measured_draws: Values
    corrected_draws: Values
    confidence: float = CONFIDENCE

    @property
    def ratio(self) -> float:
        """What is left when the machine's change is taken out."""
        return self.measured / self.machine

    @property
    def interval(self) -> Interval:
        """Of ``ratio``."""
        return self._exponential(self.corrected_draws)

    @property
    def is_known(self) -> bool:
        """Whether there were no controls, or some of them tell how fast the machine was."""
        return self.controls > 0 or self.offered == 0

    def direction(self, threshold: float) -> int:
        """1 slower, -1 faster, 0 neither, by more than the fraction ``threshold``."""
        return _beyond(self.interval, threshold)

    def doubts(self, threshold: float) -> tuple[str, ...]:
        """Why ``direction`` should not be trusted.

        Where the machine's own speed changed much, what that does to one program says little of
        another: then the times as they are must say the same.
        """
        if not self.is_known:
            return ("the machine's own speed wandered",)
        measured = self._exponential(self.measured_draws)
        agreed = self.direction(threshold) == _beyond(measured, threshold)
        if agreed or abs(self.machine - 1) <= MOST_DRIFT:
            return ()
        return (f"the machine itself took {self.machine:.2f} times as long",)

    def _exponential(self, draws: Values) -> Interval:
        found = interval(draws, self.confidence)
        return Interval(float(np.exp(found.low)), float(np.exp(found.high)))


def speed_change(subject: Pair, controls: Sequence[Pair], seed: int) -> SpeedChange:
    """From the samples of both runs, all more than 0.

    Args:
        subject: what may have changed.
        controls: what cannot; measured in the same rounds, if not elsewhere.
        seed: of the draws; one for all that was measured in the same rounds.
    """
    measured, draws = _ratio(subject, seed)
    known = [ratio for ratio in (_ratio(pair, seed) for pair in controls) if _narrow(ratio[1])]
    if not known:
        return SpeedChange(measured, 1.0, 0, len(controls), draws, draws)
    logarithms = np.array([np.log(ratio) for ratio, _ in known])
    draws_of = np.array([draw for _, draw in known])
    weights = 1 / (np.var(draws_of, axis=1) + CONTROL_ACCURACY**2)
    machine = np.exp(np.average(logarithms, weights=weights))
    # The controls are drawn as well: where they disagree, nobody knows how fast the machine was.
    chosen = np.random.default_rng([seed, 2]).integers(len(known), size=(len(known), RESAMPLES))
    machine_draws = np.average(
        np.take_along_axis(draws_of, chosen, axis=0), axis=0, weights=weights[chosen]
    )
    return SpeedChange(
        measured, float(machine), len(known), len(controls), draws, draws - machine_draws
    )


def together(changes: Sequence[SpeedChange]) -> SpeedChange:
    """Geometric means over one or more changes of the same engine, each measured in own rounds."""
    return SpeedChange(
        measured=float(np.exp(np.mean([np.log(change.measured) for change in changes]))),
        machine=float(np.exp(np.mean([np.log(change.machine) for change in changes]))),
        controls=min(change.controls for change in changes),
        offered=min(change.offered for change in changes),
        measured_draws=np.mean([change.measured_draws for change in changes], axis=0),
        corrected_draws=np.mean([change.corrected_draws for change in changes], axis=0),
        confidence=CONFIDENCE_TOGETHER,
    )


@functools.lru_cache(maxsize=256)  # the controls serve every engine
def _ratio(pair: Pair, seed: int) -> tuple[float, Values]:
    before = Resamples(seed, 0)
    after = before if pair.same_work else Resamples(seed, 1)
    if pair.elsewhere:
        first = before.stretch_medians(pair.before, pair.elsewhere)
        second = after.stretch_medians(pair.after, pair.elsewhere)
    else:
        first, second = before.medians(pair.before), after.medians(pair.after)
    return float(np.median(pair.after) / np.median(pair.before)), np.log(second) - np.log(first)


def _narrow(draws: Values) -> bool:
    return interval(draws).half_width < CONTROL_WIDTH


def _beyond(found: Interval, threshold: float) -> int:
    if found.low > 1 + threshold:
        return 1
    return -1 if found.high < 1 / (1 + threshold) else 0
