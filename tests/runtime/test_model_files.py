"""Files that are no model of ours are told apart."""

import json

import numpy as np
import onnx
import pytest
from onnx import TensorProto, numpy_helper

from asr_runtime import ModelFileError, Recognizer


def fails(path, problem):
    with pytest.raises(ModelFileError, match=problem) as caught:
        Recognizer.load(path, device="cpu")
    assert caught.value.subject == str(path)
    assert "\n" not in str(caught.value)


def test_missing(tmp_path):
    fails(tmp_path / "none.onnx", "no such model file")


def test_directory(tmp_path):
    fails(tmp_path, "directory")


def test_empty(tmp_path):
    path = tmp_path / "a.onnx"
    path.touch()
    fails(path, "is empty")


@pytest.mark.parametrize(
    "content", [np.random.default_rng(0).bytes(5000), b"\0" * 100, b'{"a": 1}\n', b"RIFF" * 30]
)
def test_not_onnx(tmp_path, content):
    path = tmp_path / "a.onnx"
    path.write_bytes(content)
    fails(path, "is not an ONNX model|cannot be loaded")


def test_cut_off(tmp_path, model_file):
    path = tmp_path / "a.onnx"
    path.write_bytes(model_file.read_bytes()[:-2000])
    fails(path, "is not an ONNX model|cannot be loaded")


def test_newer_than_onnxruntime(tmp_path, model_file):
    model = onnx.load(model_file)
    model.ir_version = 99
    path = tmp_path / "a.onnx"
    onnx.save(model, path)
    fails(path, r"cannot be loaded by onnxruntime \d.*upgrade onnxruntime")


def test_without_card(save_model):
    fails(save_model(card=None), "without a model card")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{", "broken JSON"),
        ("", "broken JSON"),
        ("[1]", "not a JSON object"),
        ("NaN", "not a JSON"),
    ],
)
def test_broken_card(save_model, text, problem):
    fails(save_model(card=text), problem)


@pytest.mark.parametrize(
    "key", ["format_version", "sample_rate", "vocabulary", "blank_id", "frame_stride"]
)
def test_missing_key(save_model, card, key):
    del card[key]
    fails(save_model(card=card), f"has no '{key}'")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("format_version", "1"),
        ("format_version", 0),
        ("sample_rate", 0),
        ("sample_rate", 16000.5),
        ("sample_rate", None),
        ("vocabulary", "abc"),
        ("vocabulary", []),
        ("vocabulary", [1, 2]),
        ("vocabulary", ["a", "a", "b"]),
        ("blank_id", -1),
        ("blank_id", 29),
        ("blank_id", True),
        ("frame_stride", -480),
    ],
)
def test_wrong_value(save_model, card, key, value):
    fails(save_model(card=card | {key: value}), f"'{key}' should be")


def test_newer_format_asks_for_an_upgrade(save_model, card):
    newer = {"format_version": 2, "everything": "else"}
    fails(save_model(card=newer), "model format 2 .* pip install --upgrade asr-runtime")


def test_unknown_keys_are_kept(save_model, card):
    recognizer = Recognizer.load(save_model(card=card | {"language": "en"}), device="cpu")
    assert recognizer.card.extra == {"language": "en"}


def test_what_only_describes_may_be_absent(save_model, card, speak):
    needed = ("format_version", "sample_rate", "vocabulary", "blank_id", "frame_stride")
    path = save_model(card=json.dumps({key: card[key] for key in needed}))
    recognizer = Recognizer.load(path, device="cpu")
    assert recognizer.transcribe(speak("hello"), 16000).text == "hello"
    assert recognizer.card.word_error_rate is None


@pytest.mark.parametrize("name", ["input_values", "input_lengths", "logprobs", "output_lengths"])
def test_other_name(save_model, name):
    fails(save_model(rename={name: "other"}), f"has no (input|output) '{name}'")


def test_other_type(save_model):
    fails(save_model(lengths_type=TensorProto.INT32), r"'input_lengths' is tensor\(int32\)")


def test_other_rank(save_model):
    fails(save_model(values_rank=3), "'input_values' has 3 dimensions and not 2")


def test_other_number_of_classes(save_model):
    fails(save_model(classes=30), "30 output classes and a vocabulary of 29")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("chunk_frames", 0),
        ("lookahead_frames", -1),
        ("context_frames", "2"),
        ("state_shape", [1]),
        ("state_shape", [1, 10**9]),
        ("state_shape", "1 1"),
    ],
)
def test_wrong_streaming_card(save_model, streaming_card, key, value):
    streaming = {**streaming_card["streaming"], key: value}
    path = save_model(card=streaming_card | {"streaming": streaming}, streaming=True)
    fails(path, f"'{key}' should be")


def test_card_that_promises_streams_the_graph_cannot_keep(save_model, streaming_card):
    fails(save_model(card=streaming_card), "has no optional input 'context_frames'")


def test_model_that_returns_nan(save_model, speak):
    path = save_model(scale=float("nan"))
    with pytest.raises(ModelFileError, match=r"variant\.onnx: returned NaN"):
        Recognizer.load(path, device="cpu").transcribe(speak("a"), 16000)


class TestOutput:
    """A model that loads can still give anything."""

    def test_what_is_no_log_probability(self, save_model, tmp_path):
        model = onnx.load(save_model())
        final = next(node for node in model.graph.node if node.op_type == "LogSoftmax")
        final.op_type = "Exp"
        del final.attribute[:]
        onnx.save(model, tmp_path / "b.onnx")
        with pytest.raises(ModelFileError, match="returned values that are not log-probabilities"):
            Recognizer.load(tmp_path / "b.onnx", device="cpu").transcribe(np.ones(16000), 16000)

    def test_impossible_numbers_of_frames(self, save_model, tmp_path):
        model = onnx.load(save_model())
        (one,) = (tensor for tensor in model.graph.initializer if tensor.name == "one")
        one.CopyFrom(numpy_helper.from_array(np.array([-100]), "one"))
        lengths = next(node for node in model.graph.node if "output_lengths" in node.output)
        model.graph.initializer.append(numpy_helper.from_array(np.array([1]), "first"))
        for node in model.graph.node:
            if node is not lengths:
                node.input[:] = ["first" if name == "one" else name for name in node.input]
        onnx.save(model, tmp_path / "b.onnx")
        with pytest.raises(ModelFileError, match="impossible numbers of frames"):
            Recognizer.load(tmp_path / "b.onnx", device="cpu").transcribe(np.ones(16000), 16000)
