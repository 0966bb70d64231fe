"""Does an exported model give what the checkpoint gives, whatever the batch and the length?"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from asr_export.errors import ParityError
from asr_export.loading.backends import Backend, Floats, Integers
from asr_export.verification.probe import probe_signal
from asr_export.verification.quantization_error import QuantizationError
from asr_export.verification.streaming_parity import StreamingParity
from asr_export.verification.transcript_regression import TranscriptRegression
from asr_train.model.config import ModelConfig
from asr_train.output import replacing

#: Largest difference of a log-probability allowed between two backends with the same weights.
TOLERANCE = 1e-4
#: The same where one of them computes in float16. Against float32, over BATCHES, the edge model has
#: 0.05 on ONNX Runtime's CPU provider, which has few float16 kernels, and 0.29 in PyTorch, which
#: rounds after every operation (0.05 between a batch and its utterances).
HALF_TOLERANCE = 0.25
#: Seconds of the utterances of every batch: sizes 1, 2, 5, lengths from 0.05 s to 35 s, mixed.
BATCHES: tuple[tuple[float, ...], ...] = (
    (0.05,),
    (0.5,),
    (7.3,),
    (35.0,),
    (0.05, 35.0),
    (2.0, 1.999),
    (0.05, 0.31, 3.0, 11.1, 35.0),
    (4.0, 4.0, 4.0, 4.0, 4.0),
)


@dataclass(frozen=True)
class ParityRow:
    """Comparison of one batch.

    Attributes:
        seconds: lengths of its utterances.
        max_difference: largest |Δ log-probability| from PyTorch, frames within the lengths.
        mean_difference: mean of the same.
        max_batching_difference: largest |Δ| between the exported model's batched results and
            its results on each utterance alone.
        lengths_equal: whether ``output_lengths`` agree and follow the contract.
    """

    seconds: tuple[float, ...]
    max_difference: float
    mean_difference: float
    max_batching_difference: float
    lengths_equal: bool

    def passes(self, tolerance: float) -> bool:
        """Whether all differences are within ``tolerance`` (NaN is not) and all lengths agree."""
        within = max(self.max_difference, self.max_batching_difference) <= tolerance
        return within and self.lengths_equal


@dataclass(frozen=True)
class ParityReport:
    """Comparison of an exported model with its checkpoint.

    Attributes:
        rows: all batches of generated audio.
        tolerance: allowed in every row.
        quantization: what rounding the weights costs, where they are rounded.
        streaming: the comparison on a stream, of a model for streams.
        transcripts: what the export costs on real recordings, where there were any.
        in_float32: the comparison of the same graph in float32, of a model that computes in
            float16.
        same_checkpoint: whether the model's card names the checkpoint.
    """

    rows: tuple[ParityRow, ...]
    tolerance: float
    quantization: QuantizationError | None = None
    streaming: StreamingParity | None = None
    transcripts: TranscriptRegression | None = None
    in_float32: ParityReport | None = None
    same_checkpoint: bool = True

    @property
    def passed(self) -> bool:
        """Whether every batch passed, and all else that was looked at."""
        others = (self.quantization, self.streaming, self.transcripts, self.in_float32)
        return all(row.passes(self.tolerance) for row in self.rows) and all(
            other is None or other.passed for other in others
        )

    def to_dict(self) -> dict[str, Any]:
        """JSON values, as they are saved."""
        return {
            "tolerance": self.tolerance,
            "passed": self.passed,
            "rows": [asdict(row) for row in self.rows],
            **({} if self.quantization is None else {"rounding": self.quantization.to_dict()}),
            **({} if self.streaming is None else {"streaming": self.streaming.to_dict()}),
            **({} if self.transcripts is None else {"recordings": self.transcripts.to_dict()}),
            **({} if self.in_float32 is None else {"in_float32": self.in_float32.to_dict()}),
        }

    def table(self) -> str:
        """Lay it out for a terminal."""
        lines = [f"{'batch':>5}  {'seconds':<28}{'max |d|':>10}{'mean |d|':>10}{'batched':>10}"]
        for row in self.rows:
            seconds = " ".join(f"{value:g}" for value in row.seconds)
            verdict = "" if row.passes(self.tolerance) else "  FAILED"
            lines.append(
                f"{len(row.seconds):>5}  {seconds:<28}{row.max_difference:>10.1e}"
                f"{row.mean_difference:>10.1e}{row.max_batching_difference:>10.1e}{verdict}"
            )
        if self.quantization is not None:
            lines.append(self.quantization.line())
        if self.streaming is not None:
            lines.append(self.streaming.line())
        if self.in_float32 is not None:
            lines += ["", "the same graph in float32:", self.in_float32.table()]
        if self.transcripts is not None:
            lines += ["", self.transcripts.table()]
        return "\n".join(lines)

    def save(self, path: Path) -> None:
        """Write it as JSON.

        Raises:
            OutputError: the file cannot be written.
        """
        with replacing(path) as partial:
            partial.write_text(json.dumps(self.to_dict(), indent=2) + "\n", encoding="utf-8")

    def require(self) -> None:
        """Make sure that the model passed.

        Raises:
            ParityError: it did not; the message says where.
        """
        if self.in_float32 is not None:
            self.in_float32.require()
        for row in self.rows:
            if not row.passes(self.tolerance):
                raise ParityError(
                    "the exported model differs from the checkpoint: "
                    f"batch {list(row.seconds)} s, max |d log-prob| {row.max_difference:.2g}, "
                    f"batched against single {row.max_batching_difference:.2g} "
                    f"(allowed {self.tolerance:g}), lengths equal: {row.lengths_equal}"
                )
        if self.streaming is not None and not self.streaming.passed:
            raise ParityError(f"the exported model differs: {self.streaming.line()}")
        if self.quantization is not None and not self.quantization.passed:
            raise ParityError(self.quantization.failure())
        if self.transcripts is not None and not self.transcripts.passed:
            raise ParityError(
                "the exported model transcribes recordings differently from the checkpoint: "
                + "; ".join(self.transcripts.failures())
            )


def check_parity(
    reference: Backend,
    candidate: Backend,
    config: ModelConfig,
    *,
    batches: Sequence[Sequence[float]] = BATCHES,
    tolerance: float = TOLERANCE,
) -> ParityReport:
    """Compare two backends of one model on generated audio.

    Args:
        reference: the one that is right.
        candidate: the one to be judged.
        config: the model's sizes, which tell how many frames there should be.
        batches: seconds of the utterances of every batch.
        tolerance: largest |Δ log-probability| allowed.
    """
    return ParityReport(
        tuple(_compare(reference, candidate, config, tuple(seconds)) for seconds in batches),
        tolerance,
    )


def _pad(signals: Sequence[Floats]) -> tuple[Floats, Integers]:
    lengths = np.array([len(signal) for signal in signals], dtype=np.int64)
    # Loud padding: a model that looks past the lengths is result out.
    padded = np.full((len(signals), lengths.max()), 0.5, dtype=np.float32)
    for row, signal in zip(padded, signals, strict=True):
        row[: len(signal)] = signal
    return padded, lengths


def _compare(
    reference: Backend, candidate: Backend, config: ModelConfig, seconds: tuple[float, ...]
) -> ParityRow:
    signals = [probe_signal(value, seed) for seed, value in enumerate(seconds)]
    expected, expected_lengths = reference(*_pad(signals))
    result, lengths = candidate(*_pad(signals))
    contract = [config.frames(len(signal)) for signal in signals]
    lengths_equal = lengths.tolist() == expected_lengths.tolist() == contract
    if not lengths_equal or result.shape != expected.shape:
        return ParityRow(seconds, np.inf, np.inf, np.inf, lengths_equal=False)
    inside = np.arange(result.shape[1])[None, :] < expected_lengths[:, None]
    difference = np.abs(result - expected)[inside]
    batching = 0.0
    for row, signal in enumerate(signals):
        alone, length = candidate(*_pad([signal]))
        frames = int(length[0])
        gap = np.abs(alone[0, :frames] - result[row, :frames]).max()
        batching = float(np.maximum(batching, gap))  # np.maximum keeps a NaN
    return ParityRow(
        seconds, float(difference.max()), float(difference.mean()), batching, lengths_equal
    )
