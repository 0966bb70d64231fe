"""Convert a trained checkpoint, mel front end included, to ONNX, TorchScript and others.

``export``, ``verify`` and ``inspect`` do what the commands of these names do; docs/export-forms.md
has an example. Everything below is imported when it is first used, so that the command line starts
without waiting for PyTorch.
"""

from importlib import import_module
from typing import TYPE_CHECKING

import asr_runtime  # noqa: F401 - before onnxruntime, whose reports it turns off

if TYPE_CHECKING:
    from asr_export.errors import ExportError, ParityError
    from asr_export.exporting import export
    from asr_export.formats.registry import (
        FORMATS,
        Format,
        OpenedModel,
        format_of,
        open_model,
        read_card,
    )
    from asr_export.inspection.inspect import inspect_model as inspect
    from asr_export.quantization.precision import Arithmetic, Precision
    from asr_export.source.options import ExportOptions, stream_chunking
    from asr_export.verification.parity import ParityReport
    from asr_export.verification.verify import verify

__all__ = [
    "FORMATS",
    "Arithmetic",
    "ExportError",
    "ExportOptions",
    "Format",
    "OpenedModel",
    "ParityError",
    "ParityReport",
    "Precision",
    "export",
    "format_of",
    "inspect",
    "open_model",
    "read_card",
    "stream_chunking",
    "verify",
]

#: Where each name comes from: the module, and its name there if that is another.
_ORIGIN = {
    "FORMATS": "formats.registry",
    "Arithmetic": "quantization.precision",
    "ExportError": "errors",
    "ExportOptions": "source.options",
    "Format": "formats.registry",
    "OpenedModel": "formats.registry",
    "ParityError": "errors",
    "ParityReport": "verification.parity",
    "Precision": "quantization.precision",
    "export": "exporting",
    "format_of": "formats.registry",
    "inspect": "inspection.inspect:inspect_model",
    "open_model": "formats.registry",
    "read_card": "formats.registry",
    "stream_chunking": "source.options",
    "verify": "verification.verify",
}


def __getattr__(name: str) -> object:
    if name not in _ORIGIN:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, _, inner = _ORIGIN[name].partition(":")
    value: object = getattr(import_module(f"{__name__}.{module}"), inner or name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
