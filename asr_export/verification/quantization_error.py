"""What rounding the weights, or computing in less than float32, costs; how much is allowed.

Measured with the edge model (61.66 % of words wrong on 259 dev clips), its recurrent and linear
weights on symmetric grids of fewer and fewer steps. Mean |Δ log-probability| from the model before:

    grid    probe signal  real speech  word error rate
    float16       0.0012            -                -
    ±127           0.019        0.024          61.70 %
    ±63            0.038        0.048          61.68 %
    ±31            0.069        0.095          61.63 %
    ±15            0.143        0.204          61.73 %
    ±7             0.299        0.417          62.23 %

So the probe signal, which every export has at hand, tells what speech would. Errors grow in words
from a mean of 0.3. The limit for int8 is a third of that and five times what a good export has: a
checkpoint beyond it has weights that its rows' scales do not suit. The largest difference is no
measure: in an hour of speech some frame sits on an edge and moves by 1.0 at ±127 already.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from asr_export.loading.backends import Backend
from asr_export.quantization.precision import Arithmetic, Precision
from asr_export.source.options import ExportOptions
from asr_export.verification.probe import probe_signal

#: Largest mean |Δ log-probability| on the probe signal.
LIMITS: dict[Precision, float] = {Precision.fp16: 0.01, Precision.int8: 0.1}
#: The same where the arithmetic is rounded too. In int8 the edge model has 0.09, and by the table
#: no more words go wrong up to a mean of 0.2 on speech. In float16 it has 0.02 where every
#: operation rounds its result (PyTorch), and 0.002 on ONNX Runtime's CPU provider.
ARITHMETIC_LIMITS: dict[Arithmetic, float] = {Arithmetic.fp16: 0.1, Arithmetic.int8: 0.2}
#: Seconds of the probe signals that it is measured on.
_SECONDS = (7.3, 35.0)


@dataclass(frozen=True)
class QuantizationError:
    """Distance between an exported model and its checkpoint before rounding.

    Attributes:
        precision: of the exported model.
        mean_difference: mean |Δ log-probability|.
        max_difference: largest |Δ log-probability|.
        arithmetic: of the exported model.
    """

    precision: Precision
    mean_difference: float
    max_difference: float
    arithmetic: Arithmetic = Arithmetic.fp32

    @property
    def limit(self) -> float:
        """Largest mean |Δ log-probability| that is allowed."""
        return ARITHMETIC_LIMITS.get(self.arithmetic, LIMITS[self.precision])

    @property
    def passed(self) -> bool:
        """Whether the mean is within its limit; NaN is not."""
        return self.mean_difference <= self.limit

    def to_dict(self) -> dict[str, Any]:
        """JSON values, as reports hold them."""
        return {
            **asdict(self),
            "precision": self.precision.value,
            "arithmetic": self.arithmetic.value,
            "limit": self.limit,
        }

    def failure(self) -> str:
        """Say to the person whose export is refused what is wrong and what to do."""
        what, remedy = "this checkpoint's weights", "export with a higher --precision"
        if self.arithmetic is Arithmetic.fp16:
            what, remedy = "this checkpoint's arithmetic", "export with --arithmetic fp32"
        return (
            f"{self.precision.value} is too coarse for {what}: mean |d log-prob| "
            f"{self.mean_difference:.2g}, allowed {self.limit:g}; {remedy}"
        )

    def line(self) -> str:
        """Sum it up in one line for a terminal."""
        verdict = "" if self.passed else "  FAILED"
        both = "" if self.arithmetic is Arithmetic.fp32 else ", arithmetic too"
        return (
            f"rounding to {self.precision.value}{both}: mean |d log-prob| "
            f"{self.mean_difference:.2g} (allowed {self.limit:g}), "
            f"max {self.max_difference:.2g}{verdict}"
        )


def measure_quantization_error(
    original: Backend, candidate: Backend, options: ExportOptions
) -> QuantizationError:
    """Compare an exported model with its checkpoint on the probe signal.

    Args:
        original: the checkpoint with the weights that training left.
        candidate: the exported model.
        options: of the export.
    """
    differences = []
    for seed, seconds in enumerate(_SECONDS):
        signal = probe_signal(seconds, seed)[None, :]
        length = np.array([signal.shape[1]], dtype=np.int64)
        expected, result = original(signal, length)[0], candidate(signal, length)[0]
        if result.shape != expected.shape:
            return QuantizationError(options.precision, np.inf, np.inf, options.computes_in)
        differences.append(np.abs(result - expected).ravel())
    difference = np.concatenate(differences)
    mean, largest = float(difference.mean()), float(difference.max())
    return QuantizationError(options.precision, mean, largest, options.computes_in)
