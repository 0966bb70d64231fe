"""What an export costs in words on real recordings, and how much of that is allowed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from asr_export.loading.backends import Backend, TorchBackend
from asr_export.quantization.precision import Arithmetic, Precision
from asr_export.source.quantized_checkpoint import QuantizedCheckpoint
from asr_export.verification.transcripts import transcribe_recordings
from asr_train.data.audio_store import FileStore
from asr_train.data.manifest import Utterance
from asr_train.evaluation.metrics import ErrorRates, error_rates

#: Smallest part of the recordings whose greedy text is the checkpoint's, where the weights are so
#: exact that a text changes by chance alone.
EQUAL_TEXTS: dict[Precision, float] = {Precision.fp32: 0.99, Precision.fp16: 0.99}
#: Largest part of the characters that int8 may change. A share of equal texts would measure how
#: long the recordings are and how sure the model: the second edge model, with 60 % of words wrong,
#: keeps 73 % of 259 texts, though 0.3 % of the characters change and the error rates do not.
CHANGED_CHARACTERS: dict[Precision, float] = {Precision.int8: 0.01}
#: The same where the arithmetic is rounded too. The edge model changes 1.3 % on 60 clips in int8,
#: its word error rate by 0.1 points; in float16, every operation rounded, 0.07 % on 40 clips.
ARITHMETIC_CHANGED_CHARACTERS: dict[Arithmetic, float] = {
    Arithmetic.fp16: 0.01,
    Arithmetic.int8: 0.03,
}
#: Largest change of the word error rate, either way: 0.3 points.
WORD_ERROR_RATE_CHANGE = 0.003


@dataclass(frozen=True)
class TranscriptRegression:
    """Comparison of an exported model with its float32 checkpoint on the same recordings.

    Attributes:
        precision: of the exported model.
        recordings: how many.
        seconds: of all of them together.
        equal_texts: recordings whose two greedy texts are the same.
        changed_characters: edits between the two texts over the characters of the checkpoint's.
        max_difference: largest |Δ log-probability|; infinite where ``output_lengths`` differ.
        mean_difference: mean |Δ log-probability|.
        checkpoint_rates: pooled error rates of the checkpoint, greedy.
        model_rates: the same of the exported model.
        checkpoint_bytes: size of the checkpoint's weights file.
        model_bytes: size of the exported model's file.
        arithmetic: of the exported model.
    """

    precision: Precision
    recordings: int
    seconds: float
    equal_texts: int
    changed_characters: float
    max_difference: float
    mean_difference: float
    checkpoint_rates: ErrorRates
    model_rates: ErrorRates
    checkpoint_bytes: int
    model_bytes: int
    arithmetic: Arithmetic = Arithmetic.fp32

    @property
    def equal_share(self) -> float:
        """Share of the recordings whose two texts are the same, 0 to 1."""
        return self.equal_texts / self.recordings

    @property
    def word_error_rate_change(self) -> float:
        """Word error rate of the exported model less the checkpoint's."""
        return self.model_rates.word_error_rate - self.checkpoint_rates.word_error_rate

    @property
    def allowed_changed_characters(self) -> float | None:
        """Largest share of characters that may change; None where there is no such limit."""
        return ARITHMETIC_CHANGED_CHARACTERS.get(
            self.arithmetic, CHANGED_CHARACTERS.get(self.precision)
        )

    @property
    def required_equal_share(self) -> float | None:
        """Smallest share of equal texts; None where texts may change by more than chance."""
        return EQUAL_TEXTS.get(self.precision) if self.arithmetic is Arithmetic.fp32 else None

    @property
    def passed(self) -> bool:
        """Whether all limits are kept."""
        return not self.failures()

    def failures(self) -> list[str]:
        """List the limits that are not kept, each in a few words."""
        failures = []
        if not math.isfinite(self.max_difference):
            failures.append("output_lengths differ, or a log-probability is not finite")
        required = self.required_equal_share
        if required is not None and not self.equal_share >= required:
            failures.append(
                f"{self.equal_texts} of {self.recordings} texts are equal, "
                f"{100 * self.equal_share:.1f} %, required {100 * required:g} % for "
                f"{self.precision.value}"
            )
        allowed = self.allowed_changed_characters
        if allowed is not None and not self.changed_characters <= allowed:
            failures.append(
                f"{100 * self.changed_characters:.2f} % of the characters change, allowed "
                f"{100 * allowed:g} % for {self.precision.value}"
            )
        if not abs(self.word_error_rate_change) <= WORD_ERROR_RATE_CHANGE:
            failures.append(
                f"the word error rate differs by {100 * self.word_error_rate_change:+.2f} points, "
                f"allowed {100 * WORD_ERROR_RATE_CHANGE:g}"
            )
        return failures

    def to_dict(self) -> dict[str, Any]:
        """JSON values, as reports hold them."""
        return {
            **asdict(self),
            "precision": self.precision.value,
            "arithmetic": self.arithmetic.value,
            "equal_share": self.equal_share,
            "required_equal_share": self.required_equal_share,
            "allowed_changed_characters": self.allowed_changed_characters,
            "word_error_rate_change": self.word_error_rate_change,
            "allowed_word_error_rate_change": WORD_ERROR_RATE_CHANGE,
            "passed": self.passed,
        }

    def table(self) -> str:
        """Lay it out for a terminal."""
        rates = (self.checkpoint_rates, self.model_rates)
        required = self.required_equal_share
        allowed = self.allowed_changed_characters
        title = f"{self.recordings} recordings, {self.seconds / 60:.1f} min"
        rows = [
            (title, "checkpoint", f"model {self.precision.value}", ""),
            (
                "size, MB",
                f"{self.checkpoint_bytes / 1e6:.2f}",
                f"{self.model_bytes / 1e6:.2f}",
                "",
            ),
            (
                "word error rate, %",
                *(f"{100 * rate.word_error_rate:.2f}" for rate in rates),
                f"within {100 * WORD_ERROR_RATE_CHANGE:g} points",
            ),
            (
                "character error rate, %",
                *(f"{100 * rate.character_error_rate:.2f}" for rate in rates),
                "",
            ),
            (
                "texts equal, %",
                "",
                f"{100 * self.equal_share:.2f}",
                "" if required is None else f"{100 * required:g} or more",
            ),
            (
                "characters changed, %",
                "",
                f"{100 * self.changed_characters:.2f}",
                "" if allowed is None else f"{100 * allowed:g} or less",
            ),
            ("max |d log-prob|", "", f"{self.max_difference:.2g}", ""),
            ("mean |d log-prob|", "", f"{self.mean_difference:.2g}", ""),
        ]
        width = max(len(row[0]) for row in rows)
        lines = [
            f"{name:<{width}}{checkpoint:>12}{model:>12}  {limit}".rstrip()
            for name, checkpoint, model, limit in rows
        ]
        return "\n".join([*lines, *(f"FAILED: {failure}" for failure in self.failures())])


def measure_transcripts(
    source: QuantizedCheckpoint,
    candidate: Backend,
    utterances: Sequence[Utterance],
    *,
    checkpoint_bytes: int,
    model_bytes: int,
) -> TranscriptRegression:
    """Transcribe recordings with an exported model and with its checkpoint in float32.

    Args:
        source: the checkpoint and the options of the export.
        candidate: the exported model.
        utterances: recordings that have passed ``select``, one or more.
        checkpoint_bytes: size of the checkpoint's weights file.
        model_bytes: size of the exported model's file.

    Raises:
        DataError: audio that cannot be decoded.
    """
    transcripts = transcribe_recordings(
        {"checkpoint": TorchBackend(source.original), "model": candidate},
        [row.duration for row in utterances],
        FileStore(utterances),
    )
    references = [row.text for row in utterances]
    expected, result = transcripts["checkpoint"], transcripts["model"]
    return TranscriptRegression(
        precision=source.options.precision,
        recordings=len(utterances),
        seconds=sum(row.duration for row in utterances),
        equal_texts=result.equal_texts(expected),
        changed_characters=error_rates(expected.texts, result.texts).character_error_rate,
        max_difference=result.max_difference,
        mean_difference=result.mean_difference,
        checkpoint_rates=error_rates(references, expected.texts),
        model_rates=error_rates(references, result.texts),
        checkpoint_bytes=checkpoint_bytes,
        model_bytes=model_bytes,
        arithmetic=source.options.computes_in,
    )
