"""Model files from strangers: refused by our own reader before ONNX Runtime sees them."""

import tracemalloc
from collections.abc import Callable

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from asr_runtime import ModelFileError, Recognizer
from asr_runtime.model_file.onnx_scan import check_onnx
from asr_runtime.recognizer import DEFAULT_MODEL


@pytest.fixture
def model(model_file) -> onnx.ModelProto:
    return onnx.load(model_file)


def refused(content: onnx.ModelProto | bytes, problem: str) -> None:
    if isinstance(content, onnx.ModelProto):
        content = content.SerializeToString()
    with pytest.raises(ModelFileError, match=problem) as caught:
        check_onnx(content)
    assert "\n" not in str(caught.value)


def constant(name: str, values: np.ndarray) -> onnx.TensorProto:
    return numpy_helper.from_array(values, name)


def add_node(model: onnx.ModelProto, operator: str, *inputs: str, **attributes: object) -> None:
    node = helper.make_node(operator, inputs, [f"new{len(model.graph.node)}"], **attributes)
    model.graph.node.append(node)


def test_ours_are_accepted(model):
    check_onnx(model.SerializeToString())
    if DEFAULT_MODEL.exists():
        check_onnx(DEFAULT_MODEL.read_bytes())


def test_an_input_may_have_a_default_of_its_type(streaming_model_file):
    model = onnx.load(streaming_model_file)
    check_onnx(model.SerializeToString())
    default = next(tensor for tensor in model.graph.initializer if tensor.name == "state")
    default.CopyFrom(constant("state", np.zeros(1, np.int64)))
    refused(model, "its input 'state' has another type's default")
    default.CopyFrom(constant("state", np.zeros(1, np.float32)))
    model.graph.initializer.append(default)
    refused(model, "two values of the name 'state'")


@pytest.mark.parametrize(
    ("attributes", "outputs"),
    [({"num_outputs": 2}, ["a", "", "b"]), ({"num_outputs": 3}, ["a", "b"]), ({}, ["a", "b"])],
)
def test_a_split_has_an_output_for_each_part(model, attributes, outputs):
    """ONNX Runtime aborts the process otherwise."""
    model.graph.initializer.append(constant("parts", np.array([1, 1, 1], np.int64)))
    sizes = [] if attributes else ["parts"]
    name = model.graph.input[0].name
    model.graph.node.append(
        helper.make_node("Split", [name, *sizes], outputs, name="new", **attributes)
    )
    refused(model, "splits something into other than")


def test_a_default_is_no_constant_to_rely_on(streaming_model_file):
    """A caller may give another divisor than the default."""
    model = onnx.load(streaming_model_file)
    model.graph.node.append(
        helper.make_node("Div", ["stride", "chunk_frames"], ["quotient"], name="new")
    )
    refused(model, "divides whole numbers")


@pytest.mark.parametrize("packed", [True, False])
def test_numbers_may_be_packed_or_raw(model, packed):
    stride = next(tensor for tensor in model.graph.initializer if tensor.name == "stride")
    if packed:
        stride.CopyFrom(helper.make_tensor("stride", TensorProto.INT64, [1], [480]))
        assert stride.int64_data
    check_onnx(model.SerializeToString())


def test_session_gets_the_checked_bytes(model_file, tmp_path, monkeypatch):
    """Not the file as it is a moment later, nor a copy that stays."""
    path = tmp_path / "a.onnx"
    path.write_bytes(model_file.read_bytes())
    given = []
    real = onnxruntime.InferenceSession

    def create(source, *arguments, **settings):
        given.append(source)
        path.write_bytes(b"something else by now")
        return real(source, *arguments, **settings)

    monkeypatch.setattr(onnxruntime, "InferenceSession", create)
    recognizer = Recognizer.load(path, device="cpu")
    assert given == [model_file.read_bytes()]
    assert recognizer._session._session._model_bytes is None


@pytest.mark.parametrize("share", [0.0001, 0.01, 0.3, 0.7, 0.999])
def test_cut_off(model, share):
    content = model.SerializeToString()
    refused(content[: int(len(content) * share)], "is not an ONNX model of ours: it ")


def test_file_of_another_kind(tmp_path):
    path = tmp_path / "a.onnx"
    for content in (b"PK\x03\x04" + bytes(100), b"\x80\x02}q", b"<html>", bytes(range(256))):
        path.write_bytes(content)
        with pytest.raises(ModelFileError, match=r"a\.onnx: is not an ONNX model of ours"):
            Recognizer.load(path, device="cpu")


def test_device_file_is_never_read():
    with pytest.raises(ModelFileError, match="is not a regular file"):
        Recognizer.load("/dev/zero", device="cpu")


def initializer(model: onnx.ModelProto, name: str) -> onnx.TensorProto:
    return next(tensor for tensor in model.graph.initializer if tensor.name == name)


@pytest.mark.parametrize(
    ("dims", "problem"),
    [
        ([480, 28], "do not fit"),
        ([480, 30], "do not fit"),
        ([-480, -29], "impossible dimensions"),
        ([1 << 62, 4], "enormous"),
        ([0, 1 << 62], "enormous"),
        ([1] * 9, "impossible dimensions"),
    ],
)
def test_dimensions_that_do_not_match_the_data(model, dims, problem):
    initializer(model, "cosine").dims[:] = dims
    refused(model, problem)


def test_external_data(model, tmp_path):
    tensor = initializer(model, "cosine")
    tensor.data_location = TensorProto.EXTERNAL
    refused(model, "tensors in other files")
    tensor.data_location = TensorProto.DEFAULT
    tensor.external_data.add(key="location", value="/etc/passwd")
    refused(model, "tensors in other files")


def breaks(change: Callable[[onnx.ModelProto], object], problem: str) -> tuple[object, str]:
    return pytest.param(change, problem, id=problem)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        breaks(lambda m: m.opset_import.add(domain="com.example", version=1), "not ONNX's own"),
        breaks(lambda m: setattr(m.graph.node[3], "domain", "com.x"), "ONNX's own but of 'com.x'"),
        breaks(lambda m: m.functions.add(name="f"), "functions of its own"),
        breaks(lambda m: m.training_info.add(), "training steps"),
        breaks(lambda m: m.graph.sparse_initializer.add(), "sparse tensors"),
        breaks(
            lambda m: m.graph.node[0].attribute.append(
                helper.make_attribute("body", onnx.GraphProto(name="g"))
            ),
            "loops or branches",
        ),
        breaks(lambda m: add_node(m, "ImageDecoder", "cosine"), "the operator 'ImageDecoder'"),
        breaks(lambda m: add_node(m, "Add", "cosine", "nowhere"), "'nowhere' before it is made"),
        breaks(
            lambda m: m.graph.initializer.append(constant("cosine", np.zeros(3))),
            "two values of the name 'cosine'",
        ),
        breaks(
            lambda m: m.graph.initializer.append(constant("input_values", np.zeros(3))),
            "its input 'input_values' has another type's default",
        ),
        breaks(
            lambda m: m.graph.initializer.append(constant("text", np.array(["a"], object))),
            "tensors of text",
        ),
        breaks(
            lambda m: m.graph.initializer.append(constant("c", np.zeros(2, np.complex64))),
            "unknown type",
        ),
        breaks(lambda m: m.metadata_props.add(key="model_card", value="{}"), "twice"),
        breaks(lambda m: m.metadata_props.add(key="x", value="y" * (1 << 21)), "more metadata"),
    ],
)
def test_what_no_model_of_ours_has(model, change, problem):
    change(model)
    refused(model, problem)


def test_too_many_operators(model):
    for number in range(5_001):
        model.graph.node.add(op_type="Neg", input=["cosine"], output=[f"n{number}"])
    refused(model, "far more than a model of ours")


def test_too_many_parts(model):
    model.graph.node[0].input.extend(["input_values"] * 60_000)
    refused(model, "far more parts")


class TestHugeResults:
    """Constants that ONNX Runtime would make out of small ones when it opens the file."""

    @pytest.fixture
    def bomb(self, model):
        def make(operator, *values, **attributes):
            names = [f"c{number}" for number in range(len(values))]
            for name, value in zip(names, values, strict=True):
                model.graph.initializer.append(constant(name, np.asarray(value)))
            add_node(model, operator, *names, **attributes)
            return model

        return make

    @pytest.mark.parametrize(
        ("operator", "values"),
        [
            ("ConstantOfShape", ([1 << 40],)),
            ("ConstantOfShape", ([1 << 20, 1 << 20],)),
            ("Expand", ([1.0], [1 << 33])),
            ("Tile", ([1.0] * 100, [1 << 30])),
            ("Range", (0, 1 << 50, 1)),
            ("Mul", (np.zeros((100_000, 1)), np.zeros(100_000))),
            ("MatMul", (np.zeros((100_000, 1)), np.zeros((1, 100_000)))),
        ],
    )
    def test_refused(self, bomb, operator, values):
        refused(bomb(operator, *values), "enormous size")

    def test_all_together(self, bomb):
        for _ in range(10):
            model = bomb("ConstantOfShape", [1 << 25])
            model.graph.initializer[-1].name = f"size{len(model.graph.node)}"
            model.graph.node[-1].input[0] = model.graph.initializer[-1].name
        refused(model, "constants of an enormous size")

    def test_hidden_size(self, bomb, model):
        bomb("Mul", [1 << 30], [1 << 30])
        add_node(model, "ConstantOfShape", model.graph.node[-1].output[0])
        refused(model, "computes the size of a tensor")

    @pytest.mark.parametrize("pads", [[0, 1 << 40], [0, -(1 << 40)]])
    def test_padding(self, bomb, pads):
        refused(bomb("Pad", [1.0], pads), "impossible pads")

    @pytest.mark.parametrize(
        ("operator", "values"),
        [
            ("ConstantOfShape", ([10, 10],)),
            ("Expand", ([1.0], [100])),
            ("Tile", ([1.0] * 100, [3])),
            ("Range", (0, 1000, 1)),
            ("Range", (1000, 0, -1)),
            ("Mul", (np.zeros((1000, 1)), np.zeros(1000))),
            ("Pad", ([1.0], [0, 3])),
        ],
    )
    def test_reasonable_ones_are_accepted(self, bomb, operator, values):
        check_onnx(bomb(operator, *values).SerializeToString())


@pytest.mark.parametrize("divisor", [0, -1])
@pytest.mark.parametrize("operator", ["Div", "Mod"])
def test_division_of_whole_numbers_by_zero(model, operator, divisor):
    model.graph.initializer.append(constant("by", np.array([divisor])))
    add_node(model, operator, "stride", "by")
    refused(model, f"divides whole numbers .{operator}.")


def test_strides_of_zero(model):
    add_node(model, "Conv", "cosine", "sine", strides=[0])
    refused(model, "impossible strides")


def test_no_memory_for_the_data(model):
    """The walk copies nothing, however much data there is."""
    model.graph.initializer.append(constant("large", np.zeros(4 << 20, np.float32)))
    content = model.SerializeToString()
    tracemalloc.start()
    try:
        check_onnx(content)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 1 << 20


def test_ort_format_is_left_to_onnxruntime(tmp_path):
    path = tmp_path / "a.ort"
    path.write_bytes(b"\x18\0\0\0ORTM")
    with pytest.raises(ModelFileError, match=r"a\.ort: is cut off"):
        Recognizer.load(path, device="cpu")
    path.write_bytes(b"\x18\0\0\0ORTM" + bytes(1000))
    with pytest.raises(ModelFileError, match="cannot be loaded by onnxruntime"):
        Recognizer.load(path, device="cpu")
