"""Checkpoint to ONNX: one file, raw waveform in, log-probabilities out."""

from __future__ import annotations

import contextlib
import copy
import io
import json
import logging
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import onnx
import torch

from asr_export.formats.onnx_asr_files import check_companions, write_companions
from asr_export.graph import onnx_gelu, onnx_gru
from asr_export.graph.generated_dft import generate_dft
from asr_export.graph.onnx_gru import OnnxBidirectionalGRU
from asr_export.graph.streaming_inputs import (
    NEXT_STATE,
    STREAMING_INPUTS,
    add_defaults,
    streaming_card,
    streaming_example,
    unwrap_names,
)
from asr_export.graph.weight_storage import store_compactly
from asr_export.loading.backends import OnnxBackend
from asr_export.loading.model_card import CARD_KEY, model_card
from asr_export.quantization.arithmetic import Arithmetic, check_onnx_arithmetic
from asr_export.quantization.half_precision import in_half_precision
from asr_export.quantization.precision import Precision
from asr_export.quantization.weights import round_weights
from asr_export.verification.parity import ParityReport
from asr_export.verification.verify import check_export
from asr_runtime.model_file.contract import PHONEME_LOG_PROBS
from asr_train.checkpoints.checkpoint import Checkpoint
from asr_train.model.chunking import Chunking
from asr_train.model.config import SAMPLE_RATE
from asr_train.model.network import BidirectionalGRU, GRUBlock, ResCNNBiGRU
from asr_train.model.streaming import StreamingModel
from asr_train.output import replacing

OPSET = 18
INPUTS = ("input_values", "input_lengths")
OUTPUTS = ("logprobs", "output_lengths")


def export_onnx(
    checkpoint: Checkpoint,
    path: Path,
    precision: Precision = Precision.fp32,
    documentation: str | None = None,
    chunking: Chunking | None = None,
    arithmetic: Arithmetic = Arithmetic.fp32,
) -> ParityReport:
    """Write ``path``, ``vocab.txt``, ``config.json`` and the parity report beside it.

    ``documentation``, Markdown, travels in the model's card. With ``chunking`` the file can be run
    on a stream as well (see ``asr_export.graph.streaming_inputs``), and recommends that chunk and
    look-ahead.

    The file takes its place only after ONNX's checker, shape inference and the comparison with
    PyTorch have passed.

    Raises:
        ExportError: it cannot be written there, its weights do not fit the precision, or the
            precision the arithmetic.
        ParityError: its results differ; nothing is written.
    """
    config = checkpoint.model.config
    check_companions(path.parent, config)
    with replacing(path) as partial:
        model = to_onnx(checkpoint, precision, documentation, chunking, arithmetic)
        onnx.save(model, partial)
        report = check_export(
            checkpoint.model,
            OnnxBackend(partial),
            precision,
            arithmetic=arithmetic,
            chunking=chunking,
        )
        report.require()
        write_companions(path.parent, config)
        report.save(path.with_name(f"{path.name}.parity.json"))
    return report


def to_onnx(
    checkpoint: Checkpoint,
    precision: Precision = Precision.fp32,
    documentation: str | None = None,
    chunking: Chunking | None = None,
    arithmetic: Arithmetic = Arithmetic.fp32,
) -> onnx.ModelProto:
    """The checked graph with its card; dimensions ``batch``, ``samples`` and ``frames`` dynamic.

    Raises:
        ExportError: the weights do not fit the precision, or the precision the arithmetic.
    """
    check_onnx_arithmetic(precision, arithmetic)
    if arithmetic is Arithmetic.fp16:
        rounded = in_half_precision(checkpoint.model)
    else:
        rounded = round_weights(checkpoint.model, precision)
    batch, samples = 2, 2 * SAMPLE_RATE
    example: tuple[torch.Tensor, ...] = (
        torch.zeros(batch, samples),
        torch.tensor([samples, samples // 2]),
    )
    config = checkpoint.model.config
    dynamic = torch.export.Dim.DYNAMIC
    module: torch.nn.Module = exportable(rounded)
    inputs: tuple[str, ...] = INPUTS
    outputs: tuple[str, ...] = (*OUTPUTS, PHONEME_LOG_PROBS) if config.phonemes else OUTPUTS
    if chunking is not None:
        module = StreamingModel(exportable(rounded))
        inputs, outputs = (*INPUTS, *STREAMING_INPUTS), (*outputs, NEXT_STATE)
        example += streaming_example(config, batch)
    shapes: dict[str, dict[int, Any]] = {name: {0: dynamic} for name in inputs}
    shapes["input_values"][1] = dynamic
    with _quiet():
        program = torch.onnx.export(
            module,
            example,
            dynamo=True,
            opset_version=OPSET,
            input_names=inputs,
            output_names=outputs,
            dynamic_shapes=shapes,
            custom_translation_table=onnx_gru.TRANSLATIONS | onnx_gelu.TRANSLATIONS,
            verbose=False,
        )
    assert program is not None
    model = program.model_proto
    _strip(model)
    _name_dimensions(model)
    card = model_card(
        checkpoint, precision=precision, arithmetic=arithmetic, documentation=documentation
    )
    if chunking is not None:
        unwrap_names(model)
        add_defaults(model, config)
        card["streaming"] = streaming_card(config, chunking)
    store_compactly(model)
    generate_dft(model)
    onnx.helper.set_model_props(model, {CARD_KEY: json.dumps(card)})
    model.doc_string = "ResCNN-BiGRU speech recogniser: 16 kHz waveform to CTC log-probabilities."
    # full_check runs shape inference too, strictly.
    onnx.checker.check_model(model, full_check=True)
    return model


def exportable(model: ResCNNBiGRU) -> ResCNNBiGRU:
    """A copy whose recurrent layers are ONNX ``GRU`` operators."""
    clone = copy.deepcopy(model).eval()
    for block in clone.gru_blocks:
        assert isinstance(block, GRUBlock)
        assert isinstance(block.gru, BidirectionalGRU)
        block.gru = OnnxBidirectionalGRU(block.gru)  # type: ignore[assignment]
    return clone


def _strip(model: onnx.ModelProto) -> None:
    """Drop the exporter's notes (stack traces and paths of the machine it ran on)."""
    graph = model.graph
    for item in (
        graph,
        *graph.node,
        *graph.input,
        *graph.output,
        *graph.initializer,
        *graph.value_info,
    ):
        del item.metadata_props[:]
        item.doc_string = ""
    del graph.value_info[:]
    del model.metadata_props[:]


def _name_dimensions(model: onnx.ModelProto) -> None:
    names = {
        "input_values": ("batch", "samples"),
        "input_lengths": ("batch",),
        "logprobs": ("batch", "frames"),
        "output_lengths": ("batch",),
        PHONEME_LOG_PROBS: ("batch", "frames"),
        NEXT_STATE: ("batch",),
    }
    for value in (*model.graph.input, *model.graph.output):
        for dimension, name in zip(
            value.type.tensor_type.shape.dim, names.get(value.name, ()), strict=False
        ):
            dimension.dim_param = name


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Hide the exporter's progress and its remarks about packages that are not needed."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
