"""Reading ONNX and TorchScript files as they are, with one clear line for what is none."""

from __future__ import annotations

from pathlib import Path

import onnx
import torch

from asr_export.errors import ExportError, first_line
from asr_runtime.model_file.contract import CARD_KEY


def load_onnx(path: Path) -> onnx.ModelProto:
    """Read the protobuf of an ONNX file.

    Raises:
        ExportError: there is no such file, or it is not an ONNX file.
    """
    require_file(path)
    try:
        return onnx.load(path, load_external_data=False)
    except Exception as error:  # protobuf's DecodeError, of whichever implementation
        raise ExportError(f"{path} is not an ONNX file: {first_line(error)}") from None


def load_torchscript(path: Path) -> tuple[torch.jit.ScriptModule, str]:
    """Load a TorchScript file onto the CPU.

    Returns:
        The module, and the JSON of its card; empty when it has none.

    Raises:
        ExportError: there is no such file, or it is not a TorchScript file.
    """
    require_file(path)
    extra = {CARD_KEY: ""}
    try:
        module = torch.jit.load(  # type: ignore[no-untyped-call]
            path, map_location="cpu", _extra_files=extra
        )
    except (RuntimeError, ValueError) as error:
        raise ExportError(f"{path} is not a TorchScript file: {first_line(error)}") from None
    card = extra[CARD_KEY]
    return module, card.decode() if isinstance(card, bytes) else card


def require_file(path: Path) -> None:
    """Make sure that a path leads to a file.

    Raises:
        ExportError: it is a folder, or there is nothing.
    """
    if path.is_file():
        return
    problem = "is a folder" if path.is_dir() else "does not exist"
    raise ExportError(f"{path} {problem}; give an exported model file (.onnx, .ort, .pt2 or .pt)")
