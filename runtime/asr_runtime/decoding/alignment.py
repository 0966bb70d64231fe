"""Forced alignment: when each label of a known text was spoken, and whether it was spoken at all.

The best CTC path through the labels (Viterbi) tells the former, a filter of insertions the latter.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Frames = npt.NDArray[np.int64]
LogProbs = npt.NDArray[np.floating[Any]]


def align(
    log_probs: LogProbs, labels: npt.NDArray[np.int64], blank_id: int, boundary_id: int
) -> tuple[Frames, Frames]:
    """Find the frames of each label on the most probable path that spells the labels.

    Memory grows with frames times labels; `align_in_parts` bounds it.

    Args:
        log_probs: Natural logarithms, finite [frames, classes].
        labels: The text's classes, without blanks [labels].
        blank_id: The blank's class.
        boundary_id: Class that is skipped like a blank where a text begins or ends and beside one
            of its own.

    Returns:
        First and last frame of each label, int64 [labels] both.

    Raises:
        ValueError: The frames are too few to spell the labels.
    """
    frames, number = len(log_probs), len(labels)
    if not number:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    # States: a blank before, between and after the labels, and the labels at odd places.
    states = np.full(2 * number + 1, blank_id)
    states[1::2] = labels
    scores = log_probs[:, states]
    silent = np.concatenate(([True], labels == boundary_id)) | np.append(
        labels == boundary_id, True
    )
    # Less than the boundary itself, so that one that lasts for several frames keeps them.
    boundary = log_probs[:, boundary_id] - 1e-3
    scores[:, ::2][:, silent] = np.maximum(log_probs[:, blank_id], boundary)[:, None]
    # A blank may be skipped but between equal labels.
    skip_cost = np.full(len(states), np.inf)
    skip_cost[3::2] = np.where(labels[1:] == labels[:-1], np.inf, 0.0)
    steps = np.zeros((frames, len(states)), np.uint8)
    options = np.full((3, len(states)), -np.inf)
    reached = np.full(len(states), -np.inf)
    reached[:2] = scores[0, :2]
    everything = np.arange(len(states))
    for frame in range(1, frames):
        options[0] = reached
        options[1, 1:] = reached[:-1]
        options[2, 2:] = reached[:-2] - skip_cost[2:]
        step = options.argmax(axis=0)
        steps[frame] = step
        reached = options[step, everything] + scores[frame]
    state = len(states) - 1 if reached[-1] > reached[-2] else len(states) - 2
    if not np.isfinite(reached[state]):
        raise ValueError(f"{frames} frames cannot spell {number} labels")
    path = np.empty(frames, np.int64)
    for frame in range(frames - 1, -1, -1):
        path[frame] = state
        state -= int(steps[frame, state])
    spelled = np.flatnonzero(path % 2)
    index = path[spelled] // 2
    first = np.searchsorted(index, np.arange(number))
    last = np.searchsorted(index, np.arange(number), side="right") - 1
    return spelled[first], spelled[last]


def align_in_parts(
    log_probs: LogProbs,
    labels: npt.NDArray[np.int64],
    start_frames: Frames,
    cuts: Frames,
    blank_id: int,
    boundary_id: int,
) -> tuple[Frames, Frames]:
    """Align a part of the frames at a time, so that memory does not grow with their square.

    Args:
        log_probs: Natural logarithms, finite [frames, classes].
        labels: The text's classes, without blanks [labels].
        start_frames: Frame that each label is known to be spelled from, in order [labels].
        cuts: Frames to part at, in order; a label belongs to the part that its start frame lies in.
        blank_id: The blank's class.
        boundary_id: As for `align`.

    Returns:
        First and last frame of each label, int64 [labels] both.

    Raises:
        ValueError: The frames of a part are too few to spell its labels.
    """
    edges = np.concatenate(([0], cuts, [len(log_probs)]))
    parts = np.searchsorted(start_frames, edges)
    parts[-1] = len(labels)
    found = [
        tuple(
            frames + begin
            for frames in align(log_probs[begin:end], labels[first:last], blank_id, boundary_id)
        )
        for begin, end, first, last in zip(
            edges[:-1], edges[1:], parts[:-1], parts[1:], strict=True
        )
    ]
    first_frames, last_frames = zip(*found, strict=True)
    return np.concatenate(first_frames), np.concatenate(last_frames)


def cut_frames(blank_frames: npt.NDArray[np.bool_], minimum: int, maximum: int) -> Frames:
    """Choose frames to part at: amid runs of blanks at least `minimum` apart, or every `maximum`.

    Args:
        blank_frames: Which frames no label can begin in, bool [frames].
        minimum: Least length of a part, in frames, that ends at a run of blanks.
        maximum: Greatest length of a part, in frames.

    Returns:
        Frames in order, int64 [cuts].
    """
    cuts: list[int] = []
    begin = 0
    frames = len(blank_frames)
    edges = np.flatnonzero(np.diff(np.concatenate(([0], blank_frames.astype(np.int8), [0]))))
    middles = edges.reshape(-1, 2).mean(axis=1).astype(np.int64)
    while frames - begin > maximum:
        within = middles[(middles >= begin + minimum) & (middles <= begin + maximum)]
        begin = int(within[0]) if len(within) else begin + maximum
        cuts.append(begin)
    return np.array(cuts, np.int64)


def spoken_labels(
    log_probs: npt.NDArray[np.floating[Any]],
    labels: npt.NDArray[np.int64],
    first: npt.NDArray[np.int64],
    last: npt.NDArray[np.int64],
    blank_id: int,
    boundary_id: int,
    threshold: float,
) -> npt.NDArray[np.bool_]:
    """Tell which labels belong to words that silence does not explain better.

    The search prefers letters to blanks, because the language model prefers short texts. Over music
    or a hum, where every frame holds a little of every letter, that finds words where the model
    heard none. Such a word's letters are less probable, together, than blanks in their place.

    Args:
        log_probs: Natural logarithms, finite [frames, classes].
        labels: The text's classes, without blanks, single boundaries between words [labels].
        first: First frame of each label [labels].
        last: Last frame of each label [labels].
        blank_id: The blank's class.
        boundary_id: The word boundary's class.
        threshold: Nats by which blanks must be the more probable for a word to be dropped.

    Returns:
        What to keep, bool [labels]: the words that were spoken, one boundary between each two.
    """
    gain = gains_over_blank(log_probs, labels, first, last, blank_id)
    boundary = labels == boundary_id
    # A boundary belongs to the word that it begins.
    word = np.cumsum(boundary)
    of_word = np.bincount(word, np.where(boundary, 0.0, gain))
    kept = of_word >= -threshold
    earlier = np.concatenate(([False], np.logical_or.accumulate(kept)[:-1]))
    result: npt.NDArray[np.bool_] = kept[word] & (~boundary | earlier[word])
    return result


def gains_over_blank(
    log_probs: npt.NDArray[np.floating[Any]],
    labels: npt.NDArray[np.int64],
    first: npt.NDArray[np.int64],
    last: npt.NDArray[np.int64],
    blank_id: int,
) -> npt.NDArray[np.float64]:
    """Return how much more probable each label is in its frames than blanks.

    Args:
        log_probs: Natural logarithms, finite [frames, classes].
        labels: Classes [labels].
        first: First frame of each label [labels].
        last: Last frame of each label [labels].
        blank_id: The blank's class.

    Returns:
        Differences in nats, float64 [labels].
    """
    over_blank = log_probs.astype(np.float64) - log_probs[:, [blank_id]]
    before = np.concatenate((np.zeros((1, over_blank.shape[1])), over_blank.cumsum(axis=0)))
    gains: npt.NDArray[np.float64] = before[last + 1, labels] - before[first, labels]
    return gains
