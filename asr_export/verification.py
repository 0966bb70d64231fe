"""Is an exported model the checkpoint, at the precision it was exported with?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from asr_export.backends import Backend, OnnxBackend, TorchBackend
from asr_export.dynamic_quantization import UtteranceByUtterance, quantized
from asr_export.errors import ExportError
from asr_export.parity import BATCHES, ParityReport, check_parity, probe_signal
from asr_export.precision import INT8_ARITHMETIC, Precision
from asr_export.rounding_loss import RoundingLoss
from asr_export.streaming_parity import check_streaming
from asr_export.weight_rounding import round_weights
from asr_train.chunking import Chunking
from asr_train.model import ResCNNBiGRU

#: Seconds of the probe signals that rounding is judged on.
_ROUNDING_SECONDS = (7.3, 35.0)
#: Seconds of the one that is streamed.
_STREAM_SECONDS = 7.3


def check_export(
    model: ResCNNBiGRU,
    candidate: Backend,
    precision: Precision,
    *,
    int8_arithmetic: bool = False,
    batches: Sequence[Sequence[float]] = BATCHES,
    chunking: Chunking | None = None,
) -> ParityReport:
    """Compare an exported model with the checkpoint it came from.

    Two questions, apart. Is the graph right? It is compared with ``model`` after the same rounding
    of its weights, at float32's tolerance. Did rounding cost too much? It is compared with
    ``model`` as it is, at the precision's limit. With ``int8_arithmetic`` (see
    ``computes_in_int8``) the graph is compared with ``model`` quantised in the same way. With
    ``chunking`` it is compared on a stream as well.
    """
    if int8_arithmetic:
        rounded = TorchBackend(UtteranceByUtterance(quantized(model), model.config.frame_stride))
    else:
        rounded = TorchBackend(round_weights(model, precision))
    report = check_parity(rounded, candidate, model.config, batches=batches)
    if chunking is not None:
        assert isinstance(candidate, OnnxBackend)
        streaming = check_streaming(
            round_weights(model, precision),
            candidate,
            chunking,
            probe_signal(_STREAM_SECONDS, 0),
            report.tolerance,
        )
        report = replace(report, streaming=streaming)
    if precision is Precision.fp32:
        return report
    loss = _rounding_loss(TorchBackend(model), candidate, precision)
    return replace(report, rounding=replace(loss, int8_arithmetic=int8_arithmetic))


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


def computes_in_int8(card: dict[str, Any]) -> bool:
    """Whether the card of an exported model says so, as of TorchScript in int8."""
    return card.get("arithmetic") == INT8_ARITHMETIC


def _rounding_loss(original: Backend, candidate: Backend, precision: Precision) -> RoundingLoss:
    differences = []
    for seed, seconds in enumerate(_ROUNDING_SECONDS):
        signal = probe_signal(seconds, seed)[None, :]
        length = np.array([signal.shape[1]], dtype=np.int64)
        wanted, found = original(signal, length)[0], candidate(signal, length)[0]
        if found.shape != wanted.shape:
            return RoundingLoss(precision, np.inf, np.inf)
        differences.append(np.abs(found - wanted).ravel())
    difference = np.concatenate(differences)
    return RoundingLoss(precision, float(difference.mean()), float(difference.max()))
