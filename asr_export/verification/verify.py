"""Is an exported model the checkpoint, at the precision it was exported with?"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from asr_export.errors import ExportError
from asr_export.loading.backends import Backend, OnnxBackend, TorchBackend, all_heads, load_onnx
from asr_export.quantization.arithmetic import Arithmetic
from asr_export.quantization.dynamic_quantization import (
    JoinedHeads,
    quantized,
    utterance_by_utterance,
)
from asr_export.quantization.half_precision import in_float32, in_half_precision
from asr_export.quantization.precision import Precision
from asr_export.quantization.weights import round_weights
from asr_export.verification.parity import (
    BATCHES,
    HALF_TOLERANCE,
    TOLERANCE,
    ParityReport,
    check_parity,
    probe_signal,
)
from asr_export.verification.quantization_error import RoundingLoss
from asr_export.verification.streaming_parity import check_streaming
from asr_train.model.chunking import Chunking
from asr_train.model.network import ResCNNBiGRU

#: Seconds of the probe signals that rounding is judged on.
_ROUNDING_SECONDS = (7.3, 35.0)
#: Seconds of the one that is streamed.
_STREAM_SECONDS = 7.3


def check_export(
    model: ResCNNBiGRU,
    candidate: Backend,
    precision: Precision,
    *,
    arithmetic: Arithmetic = Arithmetic.fp32,
    batches: Sequence[Sequence[float]] = BATCHES,
    chunking: Chunking | None = None,
) -> ParityReport:
    """Compare an exported model with the checkpoint it came from.

    Two questions, apart. Is the graph right? It is compared with ``model`` after the same rounding
    of its weights, at float32's tolerance. Did rounding cost too much? It is compared with
    ``model`` as it is, at the precision's limit. With ``chunking`` it is compared on a stream as
    well. Of a model with a phoneme head both outputs are compared.

    Where the arithmetic is int8 the graph is compared with ``model`` quantised in the same way.
    Where it is float16 the first question is put to the same graph in float32 (``in_float32``),
    and the file itself is held to ``HALF_TOLERANCE``. PyTorch's float16 is no reference: it rounds
    every result, and ONNX Runtime's CPU provider, with few float16 kernels, only some. But as a GPU
    rounds every result as well, the second question is put to PyTorch's float16 too: it notices
    what exceeds float16.
    """
    if arithmetic is Arithmetic.int8:
        network = JoinedHeads(quantized(model))
        rounded = TorchBackend(utterance_by_utterance(network, model.config))
    else:
        rounded = TorchBackend(round_weights(model, precision))
    rounded, candidate = all_heads(rounded), all_heads(candidate)

    def compared(form: Backend, tolerance: float) -> ParityReport:
        report = check_parity(rounded, form, model.config, batches=batches, tolerance=tolerance)
        if chunking is None:
            return report
        assert isinstance(form, OnnxBackend)
        reference, signal = round_weights(model, precision), probe_signal(_STREAM_SECONDS, 0)
        streaming = check_streaming(reference, form, chunking, signal, tolerance)
        return replace(report, streaming=streaming)

    forms = [candidate]
    if arithmetic is Arithmetic.fp16:
        assert isinstance(candidate, OnnxBackend)
        forms.append(all_heads(TorchBackend(in_half_precision(model))))
        report = compared(candidate, HALF_TOLERANCE)
        report = replace(report, in_float32=compared(_in_float32(candidate), TOLERANCE))
    else:
        report = compared(candidate, TOLERANCE)
    if precision is Precision.fp32:
        return report
    original = all_heads(TorchBackend(model))
    losses = [_rounding_loss(original, form, precision, arithmetic) for form in forms]
    worst = min(losses, key=lambda loss: (loss.passed, -loss.mean_difference))
    return replace(report, rounding=worst)


def stated_precision(card: dict[str, Any]) -> Precision:
    """Of an exported model, from its card; ``ExportError`` for one that this version lacks."""
    stated = card.get("precision")
    try:
        return Precision(stated)
    except ValueError:
        known = ", ".join(Precision)
        raise ExportError(
            f"the model's card states the precision {stated!r}, this version knows {known}; "
            "upgrade asr-export or export the model again"
        ) from None


def stated_chunking(card: dict[str, Any]) -> Chunking | None:
    """What a streaming model's card recommends; None for a model that cannot stream."""
    stated = card.get("streaming")
    if stated is None:
        return None
    try:
        return Chunking(int(stated["chunk_frames"]), int(stated["lookahead_frames"]))
    except (KeyError, TypeError, ValueError):
        raise ExportError(
            "the model's card does not say how to stream it; export the model again"
        ) from None


def stated_arithmetic(card: dict[str, Any]) -> Arithmetic:
    """Of an exported model, from its card; ``ExportError`` for one that this version lacks."""
    stated = card.get("arithmetic", Arithmetic.fp32)
    try:
        return Arithmetic(stated)
    except ValueError:
        known = ", ".join(Arithmetic)
        raise ExportError(
            f"the model's card states the arithmetic {stated!r}, this version knows {known}; "
            "upgrade asr-export or export the model again"
        ) from None


def _in_float32(candidate: OnnxBackend) -> OnnxBackend:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        onnx.save(in_float32(load_onnx(candidate.path)), path)
        return all_heads(OnnxBackend(path))


def _rounding_loss(
    original: Backend, candidate: Backend, precision: Precision, arithmetic: Arithmetic
) -> RoundingLoss:
    differences = []
    for seed, seconds in enumerate(_ROUNDING_SECONDS):
        signal = probe_signal(seconds, seed)[None, :]
        length = np.array([signal.shape[1]], dtype=np.int64)
        wanted, found = original(signal, length)[0], candidate(signal, length)[0]
        if found.shape != wanted.shape:
            return RoundingLoss(precision, np.inf, np.inf, arithmetic)
        differences.append(np.abs(found - wanted).ravel())
    difference = np.concatenate(differences)
    mean, largest = float(difference.mean()), float(difference.max())
    return RoundingLoss(precision, mean, largest, arithmetic)
