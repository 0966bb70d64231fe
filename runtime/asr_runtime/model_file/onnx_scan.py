"""Checks an ONNX file's bytes before ONNX Runtime, a large C++ program, opens them.

A model is data, and may come from a stranger. What is accepted is what exports of ours consist of:
one graph of known operators on tensors, all in this file, of bounded sizes. That keeps out loops,
functions, other files and operators of others, and most of what could fill the memory or stop the
process while the file is opened. It is no proof that running the model is harmless: how much time
and memory that takes is known only then. Where that matters, limit the process.
"""

from asr_runtime.errors import ModelFileError
from asr_runtime.model_file import onnx_schema as schema
from asr_runtime.model_file.onnx_operators import OPERATORS, check_parts, output_value
from asr_runtime.model_file.onnx_tensor import MAX_RANK, Value, read_tensor
from asr_runtime.model_file.protobuf_wire import Block, Budget, Message, WireError

MAX_NODES = 5_000
"""Most nodes of a graph; our exports have 120 to 230."""

MAX_FIELDS = 50_000
"""Most protobuf fields in all messages together; our exports have 1,600 to 2,800."""

MAX_CONSTANT_ELEMENTS = 1 << 28
"""Most elements of all constants together, with those made of others when a file is opened."""

MAX_METADATA_BYTES = 1 << 20
MAX_NAME_BYTES = 1 << 10

_DEFAULT_DOMAINS = ("", "ai.onnx")

_ADVICE = "give a model.onnx that asr-export wrote, or copy it again"


def check_onnx(content: bytes) -> None:
    """Check that a file holds a model of ours and nothing else.

    The bytes are read in place: that takes some memory for each part of the graph, and none for its
    data.

    Args:
        content: the file's bytes.

    Raises:
        ModelFileError: it does not; the error has no subject.
    """
    try:
        _check_model(memoryview(content))
    except WireError as error:
        raise ModelFileError(f"{error}; {_ADVICE}") from None


def _check_model(content: Block) -> None:
    budget = Budget(MAX_FIELDS)
    try:
        model = Message(content, schema.MODEL, budget)
        content_of_graph = model.block("graph")
        if content_of_graph is None:
            raise WireError("has no graph")
        graph = Message(content_of_graph, schema.GRAPH, budget)
    except WireError as error:
        # Most likely a file of another kind.
        raise WireError(f"is not an ONNX model of ours: it {error}") from None
    _check_metadata(model, budget)
    for block in model.blocks("opset_import"):
        _check_domain(Message(block, schema.OPERATOR_SET, budget).text("domain"))
    _GraphCheck(graph, budget).run()


def _check_metadata(model: Message, budget: Budget) -> None:
    if sum(map(len, model.blocks("metadata_props"))) > MAX_METADATA_BYTES:
        raise WireError("has far more metadata than a model of ours")
    keys = set()
    for block in model.blocks("metadata_props"):
        entry = Message(block, schema.ENTRY, budget)
        entry.text("value")
        key = entry.text("key")
        if key in keys:
            raise WireError(f"is damaged (it has the metadata {key!r} twice)")
        keys.add(key)


def _check_domain(domain: str) -> None:
    if domain not in _DEFAULT_DOMAINS:
        raise WireError(f"has operators that are not ONNX's own but of {_shown(domain)}")


class _GraphCheck:
    """Walks once over a graph in the order of its nodes, which ONNX prescribes."""

    def __init__(self, graph: Message, budget: Budget) -> None:
        self._graph = graph
        self._budget = budget
        self._values: dict[str, Value] = {}
        self._constant_elements = 0

    def run(self) -> None:
        graph, budget = self._graph, self._budget
        nodes = graph.blocks("node")
        if len(nodes) > MAX_NODES:
            raise WireError(f"has {len(nodes)} operators, far more than a model of ours")
        for block in graph.blocks("input"):
            self._define(*_value_info(block, budget))
        inputs = dict(self._values)
        for block in graph.blocks("initializer"):
            name, value = read_tensor(block, budget)
            declared = inputs.pop(name, None)
            if declared is None:
                self._define(name, value)
                continue
            # An input's default, which a caller may replace: a value that nothing is known about.
            if value.element_type != declared.element_type:
                raise WireError(f"is damaged (its input {_shown(name)} has another type's default)")
            self._count(value)
        for block in nodes:
            self._check_node(Message(block, schema.NODE, budget))
        for field in ("output", "value_info"):
            for block in graph.blocks(field):
                name, _ = _value_info(block, budget)
                if name not in self._values:
                    raise WireError(f"is damaged (nothing makes its output {_shown(name)})")

    def _define(self, name: str, value: Value) -> None:
        # A second one of a name would be another value to ONNX Runtime than to this walk.
        if name in self._values:
            raise WireError(f"is damaged (it has two values of the name {_shown(name)})")
        if not name or len(name) > MAX_NAME_BYTES:
            raise WireError("is damaged (it has a value without a name, or with a huge one)")
        self._values[name] = value
        self._count(value)

    def _count(self, value: Value) -> None:
        self._constant_elements += value.elements or 0
        if self._constant_elements > MAX_CONSTANT_ELEMENTS:
            raise WireError("has constants of an enormous size")

    def _check_node(self, node: Message) -> None:
        node.text("name")
        _check_domain(node.text("domain"))
        operator = node.text("op_type")
        if operator not in OPERATORS:
            raise WireError(f"has the operator {_shown(operator)}, which no model of ours has")
        inputs: list[Value | None] = []
        for name in node.texts("input"):
            if name and name not in self._values:
                raise WireError(f"is damaged (it uses {_shown(name)} before it is made)")
            inputs.append(self._values[name] if name else None)
        integers, tensors = self._attributes(node)
        if operator == "Constant":
            if "value" not in tensors:
                raise WireError("has a Constant that is no tensor")
            result = tensors["value"]
        else:
            result = output_value(operator, inputs, integers)
        if operator == "Split":
            check_parts(inputs, integers, len(node.texts("output")))
        for name in node.texts("output"):
            if name:
                self._define(name, result)

    def _attributes(self, node: Message) -> tuple[dict[str, tuple[int, ...]], dict[str, Value]]:
        """Integer attributes by name, and attributes that are tensors by name."""
        integers: dict[str, tuple[int, ...]] = {}
        tensors: dict[str, Value] = {}
        names = set()
        for block in node.blocks("attribute"):
            attribute = Message(block, schema.ATTRIBUTE, self._budget)
            name = attribute.text("name")
            if name in names:
                raise WireError(f"is damaged (an operator has the attribute {_shown(name)} twice)")
            names.add(name)
            for field in ("s", "strings"):
                attribute.texts(field)
            integers[name] = (*attribute.integers("i"), *attribute.integers("ints"))
            tensor = attribute.block("t")
            if tensor is not None:
                tensors[name] = read_tensor(tensor, self._budget)[1]
        return integers, tensors


def _value_info(block: Block, budget: Budget) -> tuple[str, Value]:
    """Name and element type of an input or output."""
    info = Message(block, schema.VALUE_INFO, budget)
    element_type = 0
    kind = info.block("type")
    if kind is not None:
        tensor = Message(kind, schema.TYPE, budget).block("tensor_type")
        if tensor is not None:
            content = Message(tensor, schema.TENSOR_TYPE, budget)
            element_type = content.integer("elem_type")
            _check_shape(content.block("shape"), budget)
    return info.text("name"), Value(element_type)


def _check_shape(shape: Block | None, budget: Budget) -> None:
    if shape is None:
        return
    sizes = Message(shape, schema.SHAPE, budget).blocks("dim")
    for block in sizes:
        dimension = Message(block, schema.DIMENSION, budget)
        dimension.text("dim_param")
        if not 0 <= dimension.integer("dim_value") < 1 << 31:
            raise WireError("is damaged (an input or output has an impossible dimension)")
    if len(sizes) > MAX_RANK:
        raise WireError("is damaged (an input or output has too many dimensions)")


def _shown(text: str) -> str:
    shown = repr(text)
    return shown if len(shown) <= 60 else f"{shown[:57]}..."
