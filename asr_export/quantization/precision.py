"""How exactly a file holds the weights; what it computes in is its ``Arithmetic``.

ONNX Runtime has no integer kernel for recurrent layers, and what it offers for the rest was slower
than float32. So the weights alone are rounded; the engine expands them once, when it opens the
file, and runs as fast as ever. PyTorch has such kernels, and they are faster than its float32:
in TorchScript int8 is of the arithmetic too.
"""

from __future__ import annotations

from enum import Enum


class Precision(str, Enum):
    """Of the weights in a file.

    Attributes:
        fp32: the checkpoint's weights, to the bit.
        fp16: all rounded to float16.
        int8: recurrent and linear layers rounded to 8 bits, each output row with a scale of its
            own; the last layer and the rest to float16.
    """

    fp32 = "fp32"
    fp16 = "fp16"
    int8 = "int8"

    @property
    def note(self) -> str | None:
        """For the model card; None where nothing is rounded."""
        return _NOTES.get(self)


_NOTES = {
    Precision.fp16: "weights rounded to float16; arithmetic in float32",
    Precision.int8: (
        "weights of recurrent and linear layers rounded to int8, a scale for each output; "
        "the last layer's and all others to float16; arithmetic in float32"
    ),
}
