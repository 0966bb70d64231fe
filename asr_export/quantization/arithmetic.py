"""What a file's network computes in, which is another matter than how its weights are stored."""

from __future__ import annotations

from enum import Enum

from asr_export.errors import ExportError
from asr_export.quantization.precision import Precision


class Arithmetic(str, Enum):
    """Of the layers between features and log-softmax; these are float32 in every file.

    Attributes:
        fp32: whatever the weights are rounded to.
        fp16: half precision, which GPUs have fast units for; ONNX with float16 weights.
        int8: products of recurrent and linear layers only; TorchScript with int8 weights.
    """

    fp32 = "fp32"
    fp16 = "fp16"
    int8 = "int8"

    @property
    def note(self) -> str | None:
        """For the model card, in place of the precision's; None for float32."""
        return _NOTES.get(self)


_NOTES = {
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


def check_onnx_arithmetic(precision: Precision, arithmetic: Arithmetic) -> None:
    """``ExportError`` for a combination that ONNX files do not come in."""
    if arithmetic is Arithmetic.int8:
        raise ExportError(
            "ONNX Runtime has no int8 kernels for recurrent layers; TorchScript computes in int8: "
            "asr-export torchscript --precision int8"
        )
    if arithmetic is Arithmetic.fp16 and precision is not Precision.fp16:
        raise ExportError("--arithmetic fp16 needs float16 weights; give --precision fp16 as well")
