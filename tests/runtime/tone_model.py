"""A model that keeps the contract and whose text is known: it hears letters as tones.

Class k is a tone of 300 + 100 k Hz, so speech can be made for it that survives any sample rate from
8 kHz on, any level and any lossy codec. Silence is the blank.
"""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from asr_runtime.language.phonemes import PHONEMES

VOCABULARY = ["'", " ", *"abcdefghijklmnopqrstuvwxyz", "<blk>"]
BLANK = 28
STRIDE = 480
LETTER_SECONDS = 0.09
GAP_SECONDS = 0.06
# Between those of the letters: two periods of them more in 60 ms.
PHONEME_TONE = 300 + 100 / 3

CARD = {
    "format_version": 1,
    "sample_rate": 16000,
    "vocabulary": VOCABULARY,
    "blank_id": BLANK,
    "frame_stride": STRIDE,
    "architecture": {"preset": "tones"},
    "precision": "fp32",
    "producer": "tests",
    "versions": {"onnx": onnx.__version__},
    "checkpoint_sha256": "0" * 64,
    "word_error_rate": None,
}


def speak_tones(text: str, sample_rate: int = 16000) -> np.ndarray:
    """Samples [samples] that the tone model hears as `text`."""
    time = np.arange(round(LETTER_SECONDS * sample_rate)) / sample_rate
    gap = np.zeros(round(GAP_SECONDS * sample_rate))
    pieces = [gap]
    for letter in text:
        frequency = 300 + 100 * VOCABULARY.index(letter)
        pieces += [0.5 * np.sin(2 * np.pi * frequency * time), gap]
    return np.concatenate(pieces).astype(np.float32)


def speak_phonemes(phonemes: str, sample_rate: int = 16000) -> np.ndarray:
    """Samples [samples] whose tones a tone model with two heads hears as phonemes: ``K AE T``."""
    time = np.arange(round(LETTER_SECONDS * sample_rate)) / sample_rate
    gap = np.zeros(round(GAP_SECONDS * sample_rate))
    pieces = [gap]
    for name in phonemes.split():
        frequency = PHONEME_TONE + 100 * PHONEMES.index(name)
        pieces += [0.5 * np.sin(2 * np.pi * frequency * time), gap]
    return np.concatenate(pieces).astype(np.float32)


def make_tone_model(
    *,
    card: Mapping[str, Any] | str | None = CARD,
    classes: int = 29,
    rename: Mapping[str, str] | None = None,
    lengths_type: int = TensorProto.INT64,
    values_rank: int = 2,
    scale: float = 40.0,
    streaming: bool = False,
    phonemes: bool = False,
) -> onnx.ModelProto:
    """The tone model; most arguments make it break the contract in one way each.

    phonemes: with a second head, which hears other tones; see `speak_phonemes`.
    streaming: also as a stream's chunks, one stream at a time; its state counts the frames.
    """
    name = {key: key for key in ("input_values", "input_lengths", "logprobs", "output_lengths")}
    name.update(rename or {})
    time = np.arange(STRIDE)[:, None] / 16000
    phase = 2 * np.pi * (300 + 100 * np.arange(classes)) * time
    bias = np.zeros(classes, np.float32)
    bias[-1] = 3.0
    constants = {
        "cosine": (np.cos(phase) * 2 / STRIDE).astype(np.float32),
        "sine": (np.sin(phase) * 2 / STRIDE).astype(np.float32),
        "scale": np.array(scale, np.float32),
        "bias": bias,
        "stride": np.array([STRIDE]),
        "one": np.array([1]),
        "zeros": np.array([0, 0, 0]),
        "framed": np.array([0, -1, STRIDE]),
    }

    def node(operator: str, inputs: str, output: str, **attributes: Any) -> onnx.NodeProto:
        return helper.make_node(operator, inputs.split(), [output], **attributes)

    values = name["input_values"] if values_rank == 2 else "flat_values"
    nodes = [
        node("Shape", values, "samples", start=1, end=2),
        node("Div", "samples stride", "whole"),
        node("Add", "whole one", "frames"),
        node("Mul", "frames stride", "padded_samples"),
        node("Sub", "padded_samples samples", "missing"),
        node("Concat", "zeros missing", "pads", axis=0),
        node("Pad", f"{values} pads", "padded"),
        node("Reshape", "padded framed", "blocks"),
        node("MatMul", "blocks cosine", "real"),
        node("MatMul", "blocks sine", "imaginary"),
        node("Mul", "real real", "real2"),
        node("Mul", "imaginary imaginary", "imaginary2"),
        node("Add", "real2 imaginary2", "power"),
        node("Sqrt", "power", "magnitude"),
        node("Mul", "magnitude scale", "scaled"),
        node("Add", "scaled bias", "logits"),
        node("LogSoftmax", "logits", name["logprobs"], axis=-1),
        node("Cast", name["input_lengths"], "lengths", to=TensorProto.INT64),
        node("Div", "lengths stride", "whole_lengths"),
        node("Add", "whole_lengths one", name["output_lengths"]),
    ]
    shape = ["batch", "samples"]
    if values_rank == 3:
        constants["last"] = np.array([2])
        nodes.insert(0, node("Squeeze", f"{name['input_values']} last", "flat_values"))
        shape.append("channels")
    if phonemes:
        constants |= _hear_phonemes(nodes)
    graph = helper.make_graph(
        nodes,
        "tones",
        [
            helper.make_tensor_value_info(name["input_values"], TensorProto.FLOAT, shape),
            helper.make_tensor_value_info(name["input_lengths"], lengths_type, ["batch"]),
        ],
        [
            helper.make_tensor_value_info(
                name["logprobs"], TensorProto.FLOAT, ["batch", "frames", classes]
            ),
            helper.make_tensor_value_info(name["output_lengths"], TensorProto.INT64, ["batch"]),
        ],
        [numpy_helper.from_array(array, key) for key, array in constants.items()],
    )
    if phonemes:
        graph.output.append(
            helper.make_tensor_value_info(
                "phoneme_logprobs", TensorProto.FLOAT, ["batch", "frames", 40]
            )
        )
    if streaming:
        make_streamable(graph, name)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    if card is not None:
        text = card if isinstance(card, str) else json.dumps(card)
        helper.set_model_props(model, {"model_card": text})
    return model


def _hear_phonemes(nodes: list[onnx.NodeProto]) -> dict[str, np.ndarray]:
    """Add what makes `phoneme_logprobs` of the blocks of samples; returns the constants for it."""
    phase = 2 * np.pi * (PHONEME_TONE + 100 * np.arange(40)) * np.arange(STRIDE)[:, None] / 16000
    bias = np.zeros(40, np.float32)
    bias[-1] = 3.0
    for operator, inputs, output in (
        ("MatMul", "blocks phoneme_cosine", "phoneme_real"),
        ("MatMul", "blocks phoneme_sine", "phoneme_imaginary"),
        ("Mul", "phoneme_real phoneme_real", "phoneme_real2"),
        ("Mul", "phoneme_imaginary phoneme_imaginary", "phoneme_imaginary2"),
        ("Add", "phoneme_real2 phoneme_imaginary2", "phoneme_power"),
        ("Sqrt", "phoneme_power", "phoneme_magnitude"),
        ("Mul", "phoneme_magnitude scale", "phoneme_scaled"),
        ("Add", "phoneme_scaled phoneme_bias", "phoneme_logits"),
    ):
        nodes.append(helper.make_node(operator, inputs.split(), [output]))
    nodes.append(helper.make_node("LogSoftmax", ["phoneme_logits"], ["phoneme_logprobs"], axis=-1))
    cosine, sine = (
        (wave(phase) * 2 / STRIDE * (np.arange(40) < 39)).astype(np.float32)
        for wave in (np.cos, np.sin)
    )
    return {"phoneme_cosine": cosine, "phoneme_sine": sine, "phoneme_bias": bias}


def make_streamable(graph: onnx.GraphProto, name: Mapping[str, str]) -> None:
    """Let the tone model take a context, a chunk's length and a state, all with defaults."""
    for node in graph.node:
        for index, output in enumerate(node.output):
            if output in (name["logprobs"], name["output_lengths"], "phoneme_logprobs"):
                node.output[index] = f"all_{output}"
    if any(output.name == "phoneme_logprobs" for output in graph.output):
        inputs = ["all_phoneme_logprobs", "context_frames", "far", "one"]
        graph.node.append(helper.make_node("Slice", inputs, ["phoneme_logprobs"]))
    graph.node.extend(
        [
            helper.make_node(
                "Slice",
                [f"all_{name['logprobs']}", "context_frames", "far", "one"],
                [name["logprobs"]],
            ),
            helper.make_node(
                "Sub", [f"all_{name['output_lengths']}", "context_frames"], ["after_context"]
            ),
            helper.make_node("Min", ["after_context", "chunk_frames"], [name["output_lengths"]]),
            helper.make_node("Cast", [name["output_lengths"]], ["emitted"], to=TensorProto.FLOAT),
            helper.make_node("Add", ["state", "emitted"], ["next_state"]),
        ]
    )
    for key, default in {
        "context_frames": np.zeros(1, np.int64),
        "chunk_frames": np.full(1, 1 << 40),
        "state": np.zeros((1, 1, 1), np.float32),
        "far": np.full(1, 1 << 40),
    }.items():
        graph.initializer.append(numpy_helper.from_array(default, key))
    for key, kind, shape in (
        ("context_frames", TensorProto.INT64, ["streams"]),
        ("chunk_frames", TensorProto.INT64, ["streams"]),
        ("state", TensorProto.FLOAT, ["streams", 1, 1]),
    ):
        graph.input.append(helper.make_tensor_value_info(key, kind, shape))
    graph.output.append(
        helper.make_tensor_value_info("next_state", TensorProto.FLOAT, ["batch", 1, 1])
    )
