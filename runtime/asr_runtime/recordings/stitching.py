"""The log-probabilities of overlapping windows, as if the model had read all the audio at once.

Between two windows a seam is chosen: frames before it are the first window's, frames from it on the
second's. Both have read the audio around it, but need not agree to the frame on where a character
lies, so that a seam in the wrong place would lose a character or keep it twice. The characters that
the two windows read are aligned, and a seam is taken only where both have read the same number of
aligned ones; of those places, amid the longest pause, or where they agree best if there is none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

LogProbs = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int64]

# A character that only one has, and one that the two read differently: less than two of the former,
# so that it stays one character, but enough that texts which are only shifted are not all changed.
_GAP, _CHANGE = 2, 3


@dataclass(frozen=True)
class SeamConfig:
    """Where a seam may lie, in frames.

    Attributes:
        margin: At the edges of the overlap, where the windows' context is too short, at least so
            many frames stay on the better window's side; less if the overlap is shorter, and down
            to a quarter if otherwise a character would be lost or doubled.
        pause: Without a character in either window for so long, it is a pause.
        reach: Frames on either side of a seam within which the windows should agree.
    """

    margin: int
    pause: int
    reach: int


def stitch(
    windows: Iterable[tuple[int, LogProbs]],
    blank_id: int,
    config: SeamConfig,
    heard: Callable[[LogProbs], LogProbs] = lambda rows: rows,
) -> Iterator[LogProbs]:
    """Join the windows' frames; every frame comes out once, in order.

    Only two windows are held at a time.

    Args:
        windows: Number of each window's first frame and its natural-log probabilities, float32
            [frames, columns], in order; neighbours overlap. All but the last may have a frame that
            only begins within them.
        blank_id: The blank's class.
        config: Where a seam may lie.
        heard: Returns the columns that are decoded, among them the blank.

    Yields:
        Natural-log probabilities, float32 [frames, columns].
    """
    held_first, held = 0, None
    for first, log_probs in windows:
        if held is None:
            held_first, held = first, log_probs
            continue
        shared = held[first - held_first :]
        # The held one's last frame is half outside of it.
        shared = shared[: min(len(shared) - 1, len(log_probs))]
        seam = find_seam(heard(shared), heard(log_probs[: len(shared)]), blank_id, config)
        yield held[: first - held_first + seam]
        held_first, held = first + seam, log_probs[seam:]
    if held is not None:
        yield held


def find_seam(before: LogProbs, after: LogProbs, blank_id: int, config: SeamConfig) -> int:
    """Find the frame where the overlap of two windows is best cut.

    Args:
        before: What the first window reads in the frames they share, float32 [frames, classes].
        after: What the second window reads in them, float32 [frames, classes].
        blank_id: The blank's class.
        config: Where the seam may lie.

    Returns:
        How many of the frames are the first window's.
    """
    frames = len(before)
    if not frames:
        return 0
    first, second = before.argmax(axis=1), after.argmax(axis=1)
    lost = _lost_at(first, second, blank_id)
    margin = min(config.margin, frames // 2)
    for part in (1, 2, 4):
        seams = np.arange(margin // part, frames - margin // part + 1)
        if lost[seams].min() == 0:
            break  # else a seam with less context may be better than one that loses a character
    seams = seams[lost[seams] == lost[seams].min()]

    quiet = (first == blank_id) & (second == blank_id)
    lengths = _run_lengths(quiet)
    # A seam belongs to a pause if it has one of its frames on both sides.
    around = np.zeros(frames + 1, np.int64)
    around[1:-1] = np.where(quiet[1:] & quiet[:-1], lengths[1:], 0)
    pauses = around[seams]
    if pauses.max() >= config.pause:
        longest = seams[pauses == pauses.max()]
        # Two pauses of one length need not both be looked at; the middle of all that is left of the
        # first one is.
        longest = longest[: 1 + int(np.argmax(np.append(np.diff(longest) > 1, True)))]
        return int(longest[len(longest) // 2])
    # Half the sum of differences: how much probability the two give to different classes.
    differences = np.abs(np.exp(before) - np.exp(after)).sum(axis=1) / 2
    total = np.concatenate(([0.0], np.cumsum(differences)))
    low = np.maximum(seams - config.reach, 0)
    high = np.minimum(seams + config.reach, frames)
    return int(seams[np.argmin((total[high] - total[low]) / (high - low))])


def _lost_at(first: Integers, second: Integers, blank_id: int) -> Integers:
    """Count the characters that each seam would lose, double or change.

    Characters that the windows read differently wherever the seam is do not count.

    Args:
        first: Best class of each shared frame in the first window, int64 [frames].
        second: Best class of each shared frame in the second window, int64 [frames].
        blank_id: The blank's class.

    Returns:
        int64 [frames + 1]: of a seam before each frame, and after the last.
    """
    starts = [_starts(path, blank_id) for path in (first, second)]
    labels = [path[begin] for path, begin in zip((first, second), starts, strict=True)]
    # Characters read before each seam: a character is where it begins.
    seams = np.arange(len(first) + 1)
    read = [np.searchsorted(begin, seams) for begin in starts]
    ahead = _distances(*labels)
    behind = _distances(*(label[::-1] for label in labels))[::-1, ::-1]
    lost: Integers = (ahead + behind)[read[0], read[1]] - ahead[-1, -1]
    # Across a seam, equal classes merge into one character. So it must be one in the second window,
    # begun before the seam, and a character that goes on there must have been begun in the first.
    merges = first[:-1] == second[1:]
    goes_on = second[:-1] == second[1:]
    either = np.where(merges, first[:-1], second[1:]) != blank_id
    lost[1:-1] += either & (merges != goes_on)
    return lost


def _starts(path: Integers, blank_id: int) -> Integers:
    """Return the frames in which a character begins, int64 [characters]."""
    changes = np.concatenate(([True], path[1:] != path[:-1]))
    starts: Integers = np.flatnonzero(changes & (path != blank_id))
    return starts


def _distances(one: Integers, other: Integers) -> Integers:
    """Return edit distances between all beginnings of two texts, [len(one) + 1, len(other) + 1]."""
    distances = np.zeros((len(one) + 1, len(other) + 1), np.int64)
    places = _GAP * np.arange(len(other) + 1)
    distances[0] = places
    for row, label in enumerate(one, 1):
        above = distances[row - 1]
        best = np.minimum(above[1:] + _GAP, above[:-1] + _CHANGE * (other != label))
        best = np.append(_GAP * row, best)
        # An insertion costs the same everywhere: the least so far, less what came before it.
        distances[row] = np.minimum.accumulate(best - places) + places
    return distances


def _run_lengths(flags: npt.NDArray[np.bool_]) -> Integers:
    """Return for each frame the length of the run of set flags it is in, else 0, int64 [frames]."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], flags.astype(np.int8), [0]))))
    lengths = np.zeros(len(flags), np.int64)
    for begin, end in edges.reshape(-1, 2).tolist():
        lengths[begin:end] = end - begin
    return lengths
