"""Checkpoint to TorchScript: the same contract, for programs that embed libtorch."""

from __future__ import annotations

import contextlib
import copy
import warnings
from collections.abc import Iterator
from pathlib import Path

import torch

from asr_export.formats.model_format import ModelFormat
from asr_export.loading.backends import Backend, TorchBackend
from asr_export.loading.model_files import load_torchscript
from asr_export.quantization.dynamic_quantization import JoinedHeads, utterance_by_utterance
from asr_export.quantization.precision import Arithmetic
from asr_export.source.quantized_checkpoint import QuantizedCheckpoint
from asr_runtime.model_file.contract import CARD_KEY, SAMPLE_RATE
from asr_train.model.config import ModelConfig
from asr_train.model.network import ResCNNBiGRU


class TorchScriptFormat(ModelFormat):
    """TorchScript; the card is an extra file in the archive."""

    def write(self, source: QuantizedCheckpoint, path: Path) -> None:
        """Write the traced model, in one archive with its weights."""
        if source.options.computes_in is Arithmetic.int8:
            script = to_int8_torchscript(source.int8_network, source.config)
        else:
            script = to_torchscript(source.rounded)
        torch.jit.save(script, path, _extra_files={CARD_KEY: source.card.to_json()})

    def open(self, path: Path, threads: int | None = None) -> tuple[Backend, str]:
        """Load the file onto the CPU."""
        del threads
        module, card = load_torchscript(path)
        return TorchBackend(module), card


def to_torchscript(model: ResCNNBiGRU) -> torch.jit.ScriptModule:
    """Trace and freeze a network; sizes of batch and time stay dynamic.

    ``torch.jit.optimize_for_inference`` was tried on it: slower, and what it makes can be
    saved but not loaded again ("required keyword attribute 'value' is undefined").
    """
    clone = copy.deepcopy(model).eval().requires_grad_(False)
    with _quiet():
        frozen: torch.jit.ScriptModule = torch.jit.freeze(_traced(clone, batch=2))
        return frozen


def to_int8_torchscript(network: JoinedHeads, config: ModelConfig) -> torch.jit.ScriptModule:
    """Trace a network with dynamically quantised layers, which runs utterance by utterance.

    The result is not frozen: that makes other convolutions of it, and differences in the last bit,
    once rounded to int8, become such that nothing could be told from a comparison with PyTorch.

    Args:
        network: in evaluation mode.
        config: the network's sizes.
    """
    model = utterance_by_utterance(_traced(network, batch=1), config).eval()
    with _quiet():
        script: torch.jit.ScriptModule = torch.jit.script(model)
        return script


def _traced(model: torch.nn.Module, batch: int) -> torch.jit.ScriptModule:
    samples = 2 * SAMPLE_RATE
    example = (torch.zeros(batch, samples), torch.tensor([samples, samples // 2][:batch]))
    with _quiet():
        traced: torch.jit.ScriptModule = torch.jit.trace(  # type: ignore[no-untyped-call]
            model, example, check_trace=False
        )
        return traced


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep PyTorch's remarks away.

    TorchScript is deprecated, and tracing remarks on every size it meets; the parity check that
    follows is what tells whether sizes stayed dynamic.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
