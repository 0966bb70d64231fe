"""The forms of a model behind one call: PyTorch's (three of them) and ONNX Runtime's (two)."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
import torch

from asr_export.errors import ExportError
from asr_export.loading.model_card import CARD_KEY
from asr_export.loading.pt2_file import load_pt2
from asr_runtime.model_file.contract import LOG_PROBS, PHONEME_LOG_PROBS

Floats = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int64]


class Backend(Protocol):
    """The model contract in numpy."""

    def __call__(self, input_values: Floats, input_lengths: Integers) -> tuple[Floats, Integers]:
        """[batch, samples], [batch] to log-probabilities [batch, frames, 29], frames [batch]."""
        ...


class TorchBackend:
    """An ``nn.Module``, a ``ScriptModule`` or an exported program that keeps the contract.

    It runs on the CPU. With ``all_heads``, phonemes follow the letters in the last dimension.

    Threads are PyTorch's own, process-wide: see ``torch.set_num_threads``.
    """

    def __init__(self, module: torch.nn.Module) -> None:
        self.all_heads = False
        # An exported program has no other mode, and raises when asked.
        self._module = module if isinstance(module, torch.fx.GraphModule) else module.eval()

    @torch.inference_mode()
    def __call__(self, input_values: Floats, input_lengths: Integers) -> tuple[Floats, Integers]:
        """See ``Backend``."""
        logprobs, lengths, *phonemes = self._module(
            torch.from_numpy(input_values), torch.from_numpy(input_lengths)
        )
        if self.all_heads:
            logprobs = torch.cat([logprobs, *phonemes], 2)
        return logprobs.numpy(), lengths.numpy()


class OnnxBackend:
    """An ONNX or .ort file, at ``path``, on ONNX Runtime's CPU provider.

    With ``all_heads``, phonemes follow the letters in the last dimension.
    """

    def __init__(self, path: Path, threads: int | None = None) -> None:
        self.path = path
        self.all_heads = False
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads or 0
        options.log_severity_level = 3  # errors come as exceptions
        try:
            self._session = onnxruntime.InferenceSession(
                str(path), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # ONNX Runtime's exceptions share no public base class
            raise ExportError(
                f"{path} cannot be run by ONNX Runtime: {_first_line(error)}"
            ) from error

    def __call__(self, input_values: Floats, input_lengths: Integers) -> tuple[Floats, Integers]:
        """See ``Backend``."""
        feeds = {"input_values": input_values, "input_lengths": input_lengths}
        lengths, *heads = self._session.run(["output_lengths", *self._heads], feeds)
        return np.concatenate(heads, 2), np.asarray(lengths)

    def chunk(
        self,
        input_values: Floats,
        input_lengths: Integers,
        context_frames: Integers,
        chunk_frames: Integers,
        state: Floats,
    ) -> tuple[Floats, Integers, Floats]:
        """One chunk of streams, with a model that can; see ``asr_train.model.streaming``."""
        lengths, next_state, *heads = self._session.run(
            ["output_lengths", "next_state", *self._heads],
            {
                "input_values": input_values,
                "input_lengths": input_lengths,
                "context_frames": context_frames,
                "chunk_frames": chunk_frames,
                "state": state,
            },
        )
        return np.concatenate(heads, 2), np.asarray(lengths), np.asarray(next_state)

    @property
    def _heads(self) -> list[str]:
        names = {output.name for output in self._session.get_outputs()}
        with_phonemes = self.all_heads and PHONEME_LOG_PROBS in names
        return [LOG_PROBS, PHONEME_LOG_PROBS] if with_phonemes else [LOG_PROBS]

    @property
    def card_text(self) -> str:
        """The card in the file, unread; empty when there is none."""
        text: str = self._session.get_modelmeta().custom_metadata_map.get(CARD_KEY, "")
        return text


_Form = TypeVar("_Form", bound=Backend)


def all_heads(backend: _Form) -> _Form:
    """The same form, which gives what all its heads say where it has several."""
    if not isinstance(backend, (TorchBackend, OnnxBackend)):
        return backend
    clone = copy.copy(backend)
    clone.all_heads = True
    return clone


def is_onnx(path: Path) -> bool:
    """By the file's name."""
    return path.suffix.lower() == ".onnx"


def model_format(path: Path) -> str:
    """``onnx``, ``ort``, ``pt2`` or ``torchscript``, by the file's name."""
    suffix = path.suffix.lower().removeprefix(".")
    return suffix if suffix in ("onnx", "ort", "pt2") else "torchscript"


def load_backend(path: Path, threads: int | None = None) -> Backend:
    """An exported model by its suffix: ``.onnx``, ``.ort``, ``.pt2``, or TorchScript.

    Raises:
        ExportError: not such a model, or not one of ours.
    """
    read_card(path)
    form = model_format(path)
    if form in ("onnx", "ort"):
        return OnnxBackend(path, threads)
    return TorchBackend((load_pt2 if form == "pt2" else load_torchscript)(path)[0])


def read_card(path: Path) -> dict[str, Any]:
    """The card in an exported model; ``ExportError`` when there is none."""
    _require_file(path)
    text = _CARD_READERS[model_format(path)](path)
    if not text:
        raise ExportError(f"{path} carries no {CARD_KEY}: it was not written by asr-export")
    try:
        card = json.loads(text)
    except json.JSONDecodeError as error:
        raise ExportError(f"{path}: its {CARD_KEY} is damaged: {error}") from None
    if not isinstance(card, dict):
        raise ExportError(f"{path}: its {CARD_KEY} is not a JSON object")
    return card


def load_onnx(path: Path) -> onnx.ModelProto:
    """The protobuf of an ONNX file; ``ExportError`` when it is not one."""
    _require_file(path)
    try:
        return onnx.load(path, load_external_data=False)
    except Exception as error:  # protobuf's DecodeError, of whichever implementation
        raise ExportError(f"{path} is not an ONNX file: {_first_line(error)}") from None


def load_torchscript(path: Path) -> tuple[torch.jit.ScriptModule, str]:
    """Module and card text of a TorchScript file; ``ExportError`` when it is not one."""
    _require_file(path)
    extra = {CARD_KEY: ""}
    try:
        module = torch.jit.load(  # type: ignore[no-untyped-call]
            path, map_location="cpu", _extra_files=extra
        )
    except (RuntimeError, ValueError) as error:
        raise ExportError(f"{path} is not a TorchScript file: {_first_line(error)}") from None
    card = extra[CARD_KEY]
    return module, card.decode() if isinstance(card, bytes) else card


def _onnx_card(path: Path) -> str:
    return next(
        (entry.value for entry in load_onnx(path).metadata_props if entry.key == CARD_KEY), ""
    )


_CARD_READERS: dict[str, Callable[[Path], str]] = {
    "onnx": _onnx_card,
    "ort": lambda path: OnnxBackend(path).card_text,
    "pt2": lambda path: load_pt2(path)[1],
    "torchscript": lambda path: load_torchscript(path)[1],
}


def _require_file(path: Path) -> None:
    if path.is_dir():
        raise ExportError(
            f"{path} is a folder; give an exported model file (.onnx, .ort, .pt2 or .pt)"
        )
    if not path.is_file():
        raise ExportError(
            f"{path} does not exist; give an exported model file (.onnx, .ort, .pt2 or .pt)"
        )


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
