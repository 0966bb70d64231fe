"""The rates of large fp32 matrix products and copies: what this machine could do at its best."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper

from asr_bench.measuring.timing import Candidate

#: Rows and columns: large enough for the full rate, small enough (33 ms at 65 GFLOP/s) for every
#: round to have one.
SIZE = 1024
#: More than the processors' caches hold.
COPIED_BYTES = 128 * 2**20


@dataclass(frozen=True)
class Roofline:
    """One kind of work, done by each library.

    Attributes:
        candidates: One for each library.
        operations: Floating-point operations of a run, or bytes.
    """

    candidates: tuple[Candidate, ...]
    operations: float


def matrix_products(threads: int, size: int = SIZE) -> Roofline:
    """Make fp32 products of [size, size] matrices in PyTorch and ONNX Runtime.

    Either may be the faster: their libraries favour different processors. PyTorch's threads are
    process-wide and left to the caller.
    """
    rng = np.random.default_rng(0)
    left, right = rng.standard_normal((2, size, size), dtype=np.float32)

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(
        _product(right).SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    torch_left, torch_right = torch.from_numpy(left), torch.from_numpy(right)
    return Roofline(
        (
            Candidate("sgemm torch", lambda: torch.mm(torch_left, torch_right)),
            Candidate("sgemm onnxruntime", lambda: session.run(["product"], {"left": left})),
        ),
        operations=2.0 * size**3,
    )


def memory_copy(size: int = COPIED_BYTES) -> Roofline:
    """Make a copy from memory to memory; its ``operations`` are bytes read and written."""
    source = torch.ones(size // 4)
    target = torch.empty_like(source)
    return Roofline((Candidate("memory copy", lambda: target.copy_(source)),), 2.0 * size)


def _product(right: np.ndarray) -> onnx.ModelProto:
    # The right factor is a constant, as a layer's weights are: ONNX Runtime packs it ahead.
    shape = list(right.shape)
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["left", "right"], ["product"])],
        "sgemm",
        [helper.make_tensor_value_info("left", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("product", TensorProto.FLOAT, shape)],
        [numpy_helper.from_array(right, "right")],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
