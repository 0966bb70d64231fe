"""Is an exported model the checkpoint, at the options that it was exported with?"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import onnx

from asr_export.loading.backends import Backend, OnnxBackend, TorchBackend, all_heads
from asr_export.loading.model_files import load_onnx
from asr_export.quantization.half_precision import in_float32
from asr_export.quantization.precision import Arithmetic, Precision
from asr_export.source.quantized_checkpoint import QuantizedCheckpoint
from asr_export.verification.parity import (
    BATCHES,
    HALF_TOLERANCE,
    TOLERANCE,
    ParityReport,
    check_parity,
)
from asr_export.verification.probe import probe_signal
from asr_export.verification.quantization_error import measure_quantization_error
from asr_export.verification.streaming_parity import check_streaming

#: Seconds of the probe signal that is streamed.
_STREAM_SECONDS = 7.3


def check_export(
    source: QuantizedCheckpoint,
    candidate: Backend,
    *,
    batches: Sequence[Sequence[float]] = BATCHES,
) -> ParityReport:
    """Compare an exported model with the checkpoint it came from.

    Two questions, apart. Is the graph right? It is compared with the checkpoint after the same
    rounding of its weights, at float32's tolerance. Did rounding cost too much? It is compared with
    the checkpoint as it is, at the precision's limit. A file for streams is compared on a stream as
    well. Of a model with a phoneme head both outputs are compared.

    Where the arithmetic is int8 the graph is compared with PyTorch's network quantised in the same
    way. Where it is float16 the first question is put to the same graph in float32
    (``in_float32``), and the file itself is held to ``HALF_TOLERANCE``. PyTorch's float16 is no
    reference: it rounds every result, and ONNX Runtime's CPU provider, with few float16 kernels,
    only some. But as a GPU rounds every result as well, the second question is put to PyTorch's
    float16 too: it notices what exceeds float16.

    Args:
        source: the checkpoint and the options of the export.
        candidate: the exported model.
        batches: seconds of the utterances of every batch.

    Raises:
        ExportError: the weights do not fit the precision.
    """
    options = source.options
    candidate = all_heads(candidate)
    backends = [candidate]
    if options.computes_in is Arithmetic.fp16:
        assert isinstance(candidate, OnnxBackend)
        backends.append(all_heads(TorchBackend(source.half)))
        report = _compare(source, candidate, HALF_TOLERANCE, batches)
        widened = _compare(source, _in_float32(candidate), TOLERANCE, batches)
        report = replace(report, in_float32=widened)
    else:
        report = _compare(source, candidate, TOLERANCE, batches)
    if options.precision is Precision.fp32:
        return report
    original = all_heads(TorchBackend(source.original))
    errors = [measure_quantization_error(original, each, options) for each in backends]
    worst = min(errors, key=lambda error: (error.passed, -error.mean_difference))
    return replace(report, quantization=worst)


def _compare(
    source: QuantizedCheckpoint,
    candidate: Backend,
    tolerance: float,
    batches: Sequence[Sequence[float]],
) -> ParityReport:
    """Compare with the rounded checkpoint, on whole recordings and, if it streams, on a stream."""
    reference = all_heads(TorchBackend(source.reference))
    report = check_parity(reference, candidate, source.config, batches=batches, tolerance=tolerance)
    chunking = source.options.chunking
    if chunking is None:
        return report
    assert isinstance(candidate, OnnxBackend)
    signal = probe_signal(_STREAM_SECONDS, 0)
    streaming = check_streaming(source.rounded, candidate, chunking, signal, tolerance)
    return replace(report, streaming=streaming)


def _in_float32(candidate: OnnxBackend) -> OnnxBackend:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        onnx.save(in_float32(load_onnx(candidate.path)), path)
        return all_heads(OnnxBackend(path))
