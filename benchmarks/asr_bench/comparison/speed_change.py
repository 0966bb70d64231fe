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
    """Samples of the first run and of the second: seconds, or whatever is more when slower.

    Attributes:
        before: Values above 0, in the order of the rounds.
        after: Values of the second run.
        same_work: Whether samples at one index are of one piece of work, unlike the others.
        elsewhere: If not 0, these were measured at other times than what they are a control of,
            which took about so many rounds.
    """

    before: tuple[float, ...]
    after: tuple[float, ...]
    same_work: bool = False
    elsewhere: int = 0


@dataclass(frozen=True)
class SpeedChange:
    """Ratios of medians, second run over first; above 1 is slower.

    Attributes:
        measured: Ratio of the samples.
        machine: Ratio of the controls; 1 without any.
        controls: Number of controls that tell something.
        offered: Number of all controls; the others wandered too much.
        measured_draws: Logarithms of ``measured``, float64 [RESAMPLES].
        corrected_draws: Logarithms of ``measured`` over ``machine``, float64 [RESAMPLES].
        confidence: Confidence of the intervals.
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
        """Ratio with the machine's change taken out."""
        return self.measured / self.machine

    @property
    def interval(self) -> Interval:
        """Interval of ``ratio``."""
        return self._exponential(self.corrected_draws)

    @property
    def is_known(self) -> bool:
        """Whether there were no controls, or some of them tell how fast the machine was."""
        return self.controls > 0 or self.offered == 0

    def direction(self, threshold: float) -> int:
        """Return 1 if slower, -1 if faster, by more than the fraction ``threshold``, else 0."""
        return _beyond(self.interval, threshold)

    def reliability_warnings(self, threshold: float) -> tuple[str, ...]:
        """Return why ``direction`` should not be trusted.

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
        bounds = interval(draws, self.confidence)
        return Interval(float(np.exp(bounds.low)), float(np.exp(bounds.high)))


def speed_change(pair: Pair, controls: Sequence[Pair], seed: int) -> SpeedChange:
    """Estimate a change from the samples of both runs, all more than 0.

    Args:
        pair: What may have changed.
        controls: What cannot have changed; measured in the same rounds, if not elsewhere.
        seed: Seed of the draws; one for all that was measured in the same rounds.
    """
    measured, draws = _ratio(pair, seed)
    known = [
        ratio for ratio in (_ratio(control, seed) for control in controls) if _narrow(ratio[1])
    ]
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
    """Return the geometric mean of changes of one engine, each measured in rounds of its own."""
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


def _beyond(bounds: Interval, threshold: float) -> int:
    if bounds.low > 1 + threshold:
        return 1
    return -1 if bounds.high < 1 / (1 + threshold) else 0
