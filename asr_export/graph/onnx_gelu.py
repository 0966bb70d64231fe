"""GELU in the order of operations that ONNX Runtime knows as one.

The exporter writes ``x * (0.5 * (1 + erf(x / √2)))``, which ONNX Runtime runs as five operators,
each a pass over memory with a result of its own. With the half last, as here, it makes one of them
when it opens the file (its contrib operator ``Gelu``); the file still holds standard operators.
Halving is exact, so both orders give the same numbers.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from onnxscript import opset18 as op


def _onnx_gelu(x: Any, approximate: str = "none") -> Any:
    if approximate != "none":
        raise NotImplementedError(f"GELU with approximate={approximate!r}")
    root, one, half = (_constant(value, x) for value in (math.sqrt(2.0), 1.0, 0.5))
    return op.Mul(op.Mul(x, op.Add(op.Erf(op.Div(x, root)), one)), half)


def _constant(value: float, like: Any) -> Any:
    constant: Any = op.Constant(value_float=value)
    return op.CastLike(constant, like)


#: For ``torch.onnx.export(custom_translation_table=…)``.
TRANSLATIONS: dict[Any, Any] = {torch.ops.aten.gelu.default: _onnx_gelu}
