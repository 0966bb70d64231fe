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
    scaled = op.Div(x, op.CastLike(math.sqrt(2.0), x))
    gate = op.Add(op.Erf(scaled), op.CastLike(1.0, x))
    return op.Mul(op.Mul(x, gate), op.CastLike(0.5, x))


#: For ``torch.onnx.export(custom_translation_table=…)``.
TRANSLATIONS: dict[Any, Any] = {torch.ops.aten.gelu.default: _onnx_gelu}
