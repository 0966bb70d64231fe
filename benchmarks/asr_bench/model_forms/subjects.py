"""The models to be measured, each in every form."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import onnx
import torch

from asr_export.formats.onnx import to_onnx
from asr_export.formats.torchscript import to_torchscript
from asr_export.loading.backends import Backend, OnnxBackend, TorchBackend
from asr_export.loading.model_files import load_torchscript
from asr_export.source.quantized_checkpoint import QuantizedCheckpoint
from asr_export.verification.parity import check_parity
from asr_train.checkpoints.checkpoint import Checkpoint
from asr_train.model.config import ModelConfig, preset
from asr_train.model.network import ResCNNBiGRU

EAGER, TORCHSCRIPT, ONNX = "torch eager", "TorchScript", "ONNX Runtime"
#: Utterance that must come out equal in all forms.
_CHECK_SECONDS = 2.0
_SEED = 1


@dataclass(frozen=True)
class Subject:
    """One model.

    Attributes:
        name: for the tables.
        config: its shape.
        parameters: trainable weights.
        checkpoint_sha256: digest of its weights file; empty for random weights.
        backends: its forms by number of threads, then by name.
    """

    name: str
    config: ModelConfig
    parameters: int
    checkpoint_sha256: str
    backends: Mapping[int, Mapping[str, Backend]]


def random_checkpoint(name: str) -> Checkpoint:
    """A preset with random weights, always the same; ``ConfigError`` when there is no such one."""
    config = preset(name)
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(_SEED)
        return Checkpoint(ResCNNBiGRU(config).eval())


def prepare(name: str, checkpoint: Checkpoint, threads: Iterable[int]) -> Subject:
    """Export a model and load the files as a device would.

    Raises:
        ParityError: a form gives other results, so its speed means nothing.
    """
    model = checkpoint.model
    eager = TorchBackend(model)
    with tempfile.TemporaryDirectory(prefix="asr-bench-") as folder:
        torchscript_path, onnx_path = Path(folder, "model.pt"), Path(folder, "model.onnx")
        torch.jit.save(to_torchscript(model), torchscript_path)
        onnx.save(to_onnx(QuantizedCheckpoint(checkpoint)), onnx_path)
        torchscript = TorchBackend(load_torchscript(torchscript_path)[0])
        backends: dict[int, dict[str, Backend]] = {
            count: {
                EAGER: eager,
                TORCHSCRIPT: torchscript,
                ONNX: OnnxBackend(onnx_path, count),
            }
            for count in threads
        }
    for forms in backends.values():
        for candidate in forms.values():
            if candidate is not eager:
                batches = ((_CHECK_SECONDS,),)
                check_parity(eager, candidate, model.config, batches=batches).require()
    parameters = sum(weight.numel() for weight in model.parameters())
    return Subject(name, model.config, parameters, checkpoint.sha256, backends)
