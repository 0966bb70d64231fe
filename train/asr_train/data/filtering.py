"""Which rows can be trained on; the others are reported, by reason, count and example."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass, field

from asr_runtime.standard_streams import one_line
from asr_train.data.audio_check import check_audio
from asr_train.data.manifest import Utterance
from asr_train.errors import DataError
from asr_train.model.config import SAMPLE_RATE, ModelConfig
from asr_train.model.vocabulary import foreign_characters, min_frames_for_ctc


@dataclass
class Selection:
    """Rows kept, and for every reason the rows skipped."""

    kept: list[Utterance] = field(default_factory=list)
    skipped: dict[str, list[str]] = field(default_factory=dict)

    def report(self) -> list[str]:
        """One line a reason, with the count and the first example."""
        return [
            f"skipped {len(examples)}: {reason}, e.g. {examples[0]}"
            for reason, examples in self.skipped.items()
        ]


def select(
    utterances: Iterable[Utterance], config: ModelConfig, max_seconds: float | None = None
) -> Selection:
    """Keep what CTC can learn from.

    Args:
        utterances: rows of a manifest or a data set.
        config: the model, whose frames must outnumber the characters.
        max_seconds: longer rows are skipped; they would set the size of every batch.

    Raises:
        DataError: nothing is left.
    """
    selection = Selection()
    for row in utterances:
        reason, detail = _why_not(row, config, max_seconds)
        if reason:
            selection.skipped.setdefault(reason, []).append(f"{row.origin} ({detail})")
        else:
            selection.kept.append(row)
    if not selection.kept:
        raise DataError("no usable row is left: " + "; ".join(selection.report() or ["no rows"]))
    return selection


def select_and_report(
    utterances: Iterable[Utterance],
    config: ModelConfig,
    name: str,
    max_seconds: float | None = None,
) -> list[Utterance]:
    """The rows that ``select`` keeps; what it kept and skipped goes to standard error.

    ``name`` of the set begins every line; the rest is as in ``select``.
    """
    check = check_audio(list(utterances))
    if not check.kept:
        raise DataError("no usable row is left: " + "; ".join(check.report() or ["no rows"]))
    selection = select(check.kept, config, max_seconds)
    hours = sum(row.duration for row in selection.kept) / 3600
    summary = f"{len(selection.kept)} utterances, {hours:.2f} h"
    lines = [summary, *check.report(), *selection.report()]
    for line in lines:
        print(one_line(f"{name}: {line}"), file=sys.stderr)
    return selection.kept


def _why_not(row: Utterance, config: ModelConfig, max_seconds: float | None) -> tuple[str, str]:
    if not row.text.strip():
        return "the transcript is empty", repr(row.text)
    if foreign := foreign_characters(row.text):
        return "the transcript holds characters outside a-z, ' and space", repr(foreign)
    frames = config.frames(int(row.duration * SAMPLE_RATE))
    if frames < (needed := min_frames_for_ctc(row.text)):
        return "the audio is too short for CTC", f"{frames} frames, {needed} needed"
    if max_seconds is not None and row.duration > max_seconds:
        return f"the audio is longer than {max_seconds:g} s", f"{row.duration:.1f} s"
    return "", ""
