"""Checkpoint to ONNX: one file, raw waveform in, log-probabilities out."""

from __future__ import annotations

import contextlib
import copy
import io
import logging
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import onnx
import torch

from asr_export.errors import ExportError
from asr_export.formats.model_format import ModelFormat
from asr_export.formats.onnx_asr_files import check_onnx_asr_files, onnx_asr_files
from asr_export.graph import onnx_gelu, onnx_gru
from asr_export.graph.generated_dft import generate_dft
from asr_export.graph.onnx_gru import OnnxBidirectionalGRU
from asr_export.graph.streaming_inputs import (
    STREAMING_INPUTS,
    add_defaults,
    streaming_example,
    unwrap_names,
)
from asr_export.graph.weight_storage import store_compactly
from asr_export.loading.backends import Backend, OnnxBackend
from asr_export.loading.model_files import load_onnx
from asr_export.quantization.precision import Arithmetic
from asr_export.source.quantized_checkpoint import QuantizedCheckpoint
from asr_runtime.model_file.contract import (
    CARD_KEY,
    INPUT_LENGTHS,
    INPUT_VALUES,
    LOG_PROBS,
    NEXT_STATE,
    OUTPUT_LENGTHS,
    PHONEME_LOG_PROBS,
    SAMPLE_RATE,
)
from asr_train.model.network import BidirectionalGRU, GRUBlock, ResCNNBiGRU
from asr_train.model.streaming import StreamingModel

OPSET = 18
INPUTS = (INPUT_VALUES, INPUT_LENGTHS)
OUTPUTS = (LOG_PROBS, OUTPUT_LENGTHS)

#: Names of the dimensions that are not fixed, by input or output; the others keep their sizes.
_DIMENSIONS = {
    INPUT_VALUES: ("batch", "samples"),
    INPUT_LENGTHS: ("batch",),
    LOG_PROBS: ("batch", "frames"),
    OUTPUT_LENGTHS: ("batch",),
    PHONEME_LOG_PROBS: ("batch", "frames"),
    NEXT_STATE: ("batch",),
}


class OnnxFormat(ModelFormat):
    """ONNX, with ``vocab.txt`` and ``config.json`` beside it for onnx-asr."""

    def check_destination(self, source: QuantizedCheckpoint, path: Path) -> None:
        """Refuse a folder that has such files of another model."""
        check_onnx_asr_files(path, source.config, replaces_own=self._is_own(path))

    def _is_own(self, path: Path) -> bool:
        """Whether a file is an earlier export."""
        try:
            return path.is_file() and bool(self.card_text(path))
        except ExportError:
            return False

    def write(self, source: QuantizedCheckpoint, path: Path) -> None:
        """Write the graph, which has passed ONNX's checker and shape inference."""
        onnx.save(to_onnx(source), path)

    def companions(
        self, source: QuantizedCheckpoint, draft: Path, path: Path
    ) -> Mapping[Path, str]:
        """Make the two files that onnx-asr loads the model with."""
        del draft
        texts = onnx_asr_files(source.config)
        return {path.parent / name: text for name, text in texts.items()}

    def open(self, path: Path, threads: int | None = None) -> tuple[Backend, str]:
        """Open a session on the CPU."""
        text = self.card_text(path)  # first, because it names what is no ONNX file
        return OnnxBackend(path, threads), text

    def card_text(self, path: Path) -> str:
        """Read the metadata without ONNX Runtime."""
        entries = load_onnx(path).metadata_props
        return next((entry.value for entry in entries if entry.key == CARD_KEY), "")


def to_onnx(source: QuantizedCheckpoint) -> onnx.ModelProto:
    """Make the checked graph with its card.

    Its dimensions ``batch``, ``samples`` and ``frames`` are dynamic. With a chunking in the options
    it can be run on a stream as well (see ``asr_export.graph.streaming_inputs``).

    Args:
        source: the model and its options, with arithmetic in float32 or float16.

    Raises:
        ExportError: the weights do not fit the precision.
    """
    options, config = source.options, source.config
    half = options.computes_in is Arithmetic.fp16
    batch, samples = 2, 2 * SAMPLE_RATE
    example: tuple[torch.Tensor, ...] = (
        torch.zeros(batch, samples),
        torch.tensor([samples, samples // 2]),
    )
    network = exportable(source.half if half else source.rounded)
    module: torch.nn.Module = network
    inputs: tuple[str, ...] = INPUTS
    outputs: tuple[str, ...] = (*OUTPUTS, PHONEME_LOG_PROBS) if config.phonemes else OUTPUTS
    if options.chunking is not None:
        module = StreamingModel(network)
        inputs, outputs = (*INPUTS, *STREAMING_INPUTS), (*outputs, NEXT_STATE)
        example += streaming_example(config, batch)
    model = trace(module, example, inputs, outputs)
    _strip(model)
    _name_dimensions(model)
    if options.chunking is not None:
        unwrap_names(model)
        add_defaults(model, config)
    store_compactly(model)
    generate_dft(model)
    onnx.helper.set_model_props(model, {CARD_KEY: source.card.to_json()})
    model.doc_string = "ResCNN-BiGRU speech recogniser: 16 kHz waveform to CTC log-probabilities."
    # full_check runs shape inference too, strictly.
    onnx.checker.check_model(model, full_check=True)
    return model


def trace(
    module: torch.nn.Module,
    example: tuple[torch.Tensor, ...],
    inputs: tuple[str, ...],
    outputs: tuple[str, ...],
) -> onnx.ModelProto:
    """Have PyTorch write the graph, which takes almost all of the time of an export.

    Args:
        module: the network, with layers that `TRANSLATIONS` have operators for.
        example: one tensor for each input, the first float32 [batch, samples]; the number of rows
            and of samples may be any later.
        inputs: names of the inputs.
        outputs: names of the outputs.
    """
    dynamic = torch.export.Dim.DYNAMIC
    shapes: dict[str, dict[int, Any]] = {name: {0: dynamic} for name in inputs}
    shapes[INPUT_VALUES][1] = dynamic
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
    return program.model_proto


def exportable(model: ResCNNBiGRU) -> ResCNNBiGRU:
    """Copy a network, with recurrent layers that are ONNX ``GRU`` operators."""
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
    for value in (*model.graph.input, *model.graph.output):
        for dimension, name in zip(
            value.type.tensor_type.shape.dim, _DIMENSIONS.get(value.name, ()), strict=False
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
