"""The parts of ONNX's protobuf schema that a model of ours consists of.

Every other part is unknown here, and refused; what others' files may well contain is refused by its
name. See onnx.proto of the ONNX project for the numbers.
"""

from asr_runtime.model_file.protobuf_wire import BYTES, FIXED32, VARINT, Field

MODEL = {
    1: Field("ir_version", VARINT),
    2: Field("producer_name", BYTES),
    3: Field("producer_version", BYTES),
    4: Field("domain", BYTES),
    5: Field("model_version", VARINT),
    6: Field("doc_string", BYTES),
    7: Field("graph", BYTES),
    8: Field("opset_import", BYTES, repeated=True),
    14: Field("metadata_props", BYTES, repeated=True),
    20: Field("training_info", BYTES, refused="training steps"),
    25: Field("functions", BYTES, refused="functions of its own"),
    26: Field("configuration", BYTES, refused="a configuration of several devices"),
}

OPERATOR_SET = {1: Field("domain", BYTES), 2: Field("version", VARINT)}

ENTRY = {1: Field("key", BYTES), 2: Field("value", BYTES)}
"""Fields of one entry of ``metadata_props``."""

GRAPH = {
    1: Field("node", BYTES, repeated=True),
    2: Field("name", BYTES),
    5: Field("initializer", BYTES, repeated=True),
    10: Field("doc_string", BYTES),
    11: Field("input", BYTES, repeated=True),
    12: Field("output", BYTES, repeated=True),
    13: Field("value_info", BYTES, repeated=True),
    15: Field("sparse_initializer", BYTES, refused="sparse tensors"),
    16: Field("metadata_props", BYTES, repeated=True),
}

NODE = {
    1: Field("input", BYTES, repeated=True),
    2: Field("output", BYTES, repeated=True),
    3: Field("name", BYTES),
    4: Field("op_type", BYTES),
    5: Field("attribute", BYTES, repeated=True),
    6: Field("doc_string", BYTES),
    7: Field("domain", BYTES),
    8: Field("overload", BYTES, refused="functions of its own"),
    9: Field("metadata_props", BYTES, repeated=True),
    10: Field("device_configurations", BYTES, refused="a configuration of several devices"),
}

_CONTROL_FLOW = "loops or branches"
_SPARSE = "sparse tensors"

ATTRIBUTE = {
    1: Field("name", BYTES),
    2: Field("f", FIXED32),
    3: Field("i", VARINT),
    4: Field("s", BYTES),
    5: Field("t", BYTES),
    6: Field("g", BYTES, refused=_CONTROL_FLOW),
    7: Field("floats", FIXED32, repeated=True),
    8: Field("ints", VARINT, repeated=True),
    9: Field("strings", BYTES, repeated=True),
    11: Field("graphs", BYTES, refused=_CONTROL_FLOW),
    13: Field("doc_string", BYTES),
    20: Field("type", VARINT),
    21: Field("ref_attr_name", BYTES, refused="functions of its own"),
    22: Field("sparse_tensor", BYTES, refused=_SPARSE),
    23: Field("sparse_tensors", BYTES, refused=_SPARSE),
}

_EXTERNAL = "tensors in other files, which are never opened"

TENSOR = {
    1: Field("dims", VARINT, repeated=True),
    2: Field("data_type", VARINT),
    4: Field("float_data", BYTES),
    5: Field("int32_data", BYTES),
    6: Field("string_data", BYTES, refused="tensors of text"),
    7: Field("int64_data", BYTES),
    8: Field("name", BYTES),
    9: Field("raw_data", BYTES),
    10: Field("double_data", BYTES),
    11: Field("uint64_data", BYTES),
    12: Field("doc_string", BYTES),
    13: Field("external_data", BYTES, refused=_EXTERNAL),
    14: Field("data_location", VARINT),
    16: Field("metadata_props", BYTES, repeated=True),
}

VALUE_INFO = {
    1: Field("name", BYTES),
    2: Field("type", BYTES),
    3: Field("doc_string", BYTES),
    4: Field("metadata_props", BYTES, repeated=True),
}

_NO_TENSOR = "values that are no tensors"

TYPE = {
    1: Field("tensor_type", BYTES),
    4: Field("sequence_type", BYTES, refused=_NO_TENSOR),
    5: Field("map_type", BYTES, refused=_NO_TENSOR),
    6: Field("denotation", BYTES),
    7: Field("opaque_type", BYTES, refused=_NO_TENSOR),
    8: Field("sparse_tensor_type", BYTES, refused=_SPARSE),
    9: Field("optional_type", BYTES, refused=_NO_TENSOR),
}

TENSOR_TYPE = {1: Field("elem_type", VARINT), 2: Field("shape", BYTES)}

SHAPE = {1: Field("dim", BYTES, repeated=True)}

DIMENSION = {
    1: Field("dim_value", VARINT),
    2: Field("dim_param", BYTES),
    3: Field("denotation", BYTES),
}

EXTERNAL_LOCATION = 1
"""Value of ``data_location`` that says that the tensor is in another file."""

FLOAT, UINT8, INT8, UINT16, INT16, INT32, INT64 = 1, 2, 3, 4, 5, 6, 7
BOOL, FLOAT16, DOUBLE, UINT32, UINT64, BFLOAT16, UINT4, INT4 = 9, 10, 11, 12, 13, 16, 21, 22
"""Element types of tensors."""

FLOATING = {FLOAT, FLOAT16, DOUBLE, BFLOAT16}

BITS = {
    FLOAT: 32,
    UINT8: 8,
    INT8: 8,
    UINT16: 16,
    INT16: 16,
    INT32: 32,
    INT64: 64,
    BOOL: 8,
    FLOAT16: 16,
    DOUBLE: 64,
    UINT32: 32,
    UINT64: 64,
    BFLOAT16: 16,
    UINT4: 4,
    INT4: 4,
}
"""Bits of an element in ``raw_data``, by element type."""
