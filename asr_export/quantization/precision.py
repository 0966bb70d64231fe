"""How exactly a file holds the weights, and what its network computes in.

ONNX Runtime has no integer kernel for recurrent layers, and what it offers for the rest was slower
than float32. So the weights alone are rounded; the engine expands them once, when it opens the
file, and runs as fast as ever. PyTorch has such kernels, and they are faster than its float32, so
that TorchScript in int8 computes in int8 too.
"""

from __future__ import annotations

from enum import Enum


class Precision(str, Enum):
    """How exactly a file holds the weights.

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
        """What is rounded, in a sentence for the model card; None where nothing is."""
        return _PRECISION_NOTES.get(self)


class Arithmetic(str, Enum):
    """What the network computes in. Front end and log-softmax always use float32.

    Attributes:
        fp32: float32, whatever the weights are rounded to.
        fp16: half precision, which GPUs have fast units for; ONNX with float16 weights.
        int8: products of recurrent and linear layers only; TorchScript with int8 weights.
    """

    fp32 = "fp32"
    fp16 = "fp16"
    int8 = "int8"

    @property
    def note(self) -> str | None:
        """A sentence for the model card, in place of the precision's; None for float32."""
        return _ARITHMETIC_NOTES.get(self)


_PRECISION_NOTES = {
    Precision.fp16: "weights rounded to float16; arithmetic in float32",
    Precision.int8: (
        "weights of recurrent and linear layers rounded to int8, a scale for each output; "
        "the last layer's and all others to float16; arithmetic in float32"
    ),
}

_ARITHMETIC_NOTES = {
    Arithmetic.fp16: (
        "weights in float16, and arithmetic in float16 between the features and the logits; "
        "front end and log-softmax in float32"
    ),
    Arithmetic.int8: (
        "weights of recurrent and linear layers in int8, a scale for each layer, and their "
        "products computed in int8, with inputs rounded by the range of each utterance; the rest "
        "in float32"
    ),
}
