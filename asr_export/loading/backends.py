"""A model of any format behind one call: PyTorch's (three of them) and ONNX Runtime's (two)."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Protocol, TypeVar

import numpy as np
import numpy.typing as npt
import onnxruntime
import torch

from asr_export.errors import ExportError, first_line
from asr_runtime.inference.cpus import session_threads
from asr_runtime.model_file.contract import (
    CARD_KEY,
    CHUNK_FRAMES,
    CONTEXT_FRAMES,
    INPUT_LENGTHS,
    INPUT_VALUES,
    LOG_PROBS,
    NEXT_STATE,
    OUTPUT_LENGTHS,
    PHONEME_LOG_PROBS,
    STATE,
)

Floats = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int64]


class Backend(Protocol):
    """The model contract in numpy."""

    def __call__(self, input_values: Floats, input_lengths: Integers) -> tuple[Floats, Integers]:
        """Run a batch.

        Args:
            input_values: [batch, samples], mono at the contract's rate, -1 to 1.
            input_lengths: [batch], samples of each before its padding.

        Returns:
            Log-probabilities [batch, frames, classes], and frames [batch].
        """
        ...


class TorchBackend:
    """An ``nn.Module``, a ``ScriptModule`` or an exported program that keeps the contract.

    It runs on the CPU. Threads are PyTorch's own, process-wide: see ``torch.set_num_threads``.

    Attributes:
        all_heads: whether phonemes follow the letters in the last dimension.
    """

    def __init__(self, module: torch.nn.Module) -> None:
        self.all_heads = False
        # An exported program has no other mode, and raises when asked.
        self._module = module if isinstance(module, torch.fx.GraphModule) else module.eval()

    @torch.inference_mode()
    def __call__(self, input_values: Floats, input_lengths: Integers) -> tuple[Floats, Integers]:
        """Run a batch, as every backend does."""
        logprobs, lengths, *phonemes = self._module(
            torch.from_numpy(input_values), torch.from_numpy(input_lengths)
        )
        if self.all_heads:
            logprobs = torch.cat([logprobs, *phonemes], 2)
        return logprobs.numpy(), lengths.numpy()


class OnnxBackend:
    """An ONNX or .ort file on ONNX Runtime's CPU provider.

    Attributes:
        path: the file.
        all_heads: whether phonemes follow the letters in the last dimension.
    """

    def __init__(self, path: Path, threads: int | None = None) -> None:
        """Open a file.

        Args:
            path: the file.
            threads: that one operator may use; None for one on each CPU that the process may use.

        Raises:
            ExportError: ONNX Runtime cannot open it.
        """
        self.path = path
        self.all_heads = False
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = session_threads(threads)
        options.log_severity_level = 3  # errors come as exceptions
        try:
            self._session = onnxruntime.InferenceSession(
                str(path), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # ONNX Runtime's exceptions share no public base class
            raise ExportError(
                f"{path} cannot be run by ONNX Runtime: {first_line(error)}"
            ) from error

    def __call__(self, input_values: Floats, input_lengths: Integers) -> tuple[Floats, Integers]:
        """Run a batch, as every backend does."""
        feeds = {INPUT_VALUES: input_values, INPUT_LENGTHS: input_lengths}
        lengths, *heads = self._session.run([OUTPUT_LENGTHS, *self._heads], feeds)
        return np.concatenate(heads, 2), np.asarray(lengths)

    def chunk(
        self,
        input_values: Floats,
        input_lengths: Integers,
        context_frames: Integers,
        chunk_frames: Integers,
        state: Floats,
    ) -> tuple[Floats, Integers, Floats]:
        """Run one chunk of several streams, with a model that can stream.

        Args:
            input_values: [batch, samples] of context, chunk and look-ahead.
            input_lengths: [batch], samples of each before its padding.
            context_frames: [batch] or [1], frames of context that the samples begin with.
            chunk_frames: [batch] or [1], frames to emit.
            state: [batch or 1, layers, hidden] from the chunk before, or zeros.

        Returns:
            Log-probabilities [batch, frames, classes], frames [batch], and the state for the next
            chunk [batch, layers, hidden].
        """
        lengths, next_state, *heads = self._session.run(
            [OUTPUT_LENGTHS, NEXT_STATE, *self._heads],
            {
                INPUT_VALUES: input_values,
                INPUT_LENGTHS: input_lengths,
                CONTEXT_FRAMES: context_frames,
                CHUNK_FRAMES: chunk_frames,
                STATE: state,
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
        """The JSON of the card in the file; empty when there is none."""
        text: str = self._session.get_modelmeta().custom_metadata_map.get(CARD_KEY, "")
        return text


_AnyBackend = TypeVar("_AnyBackend", bound=Backend)


def all_heads(backend: _AnyBackend) -> _AnyBackend:
    """Copy a backend so that it gives what all heads say, where the model has several."""
    if not isinstance(backend, (TorchBackend, OnnxBackend)):
        return backend
    clone = copy.copy(backend)
    clone.all_heads = True
    return clone
