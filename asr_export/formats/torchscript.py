"""Checkpoint to TorchScript: the same contract, for programs that embed libtorch."""

from __future__ import annotations

import contextlib
import copy
import json
import warnings
from collections.abc import Iterator
from pathlib import Path

import torch

from asr_export.errors import ExportError
from asr_export.loading.backends import TorchBackend, load_torchscript
from asr_export.loading.model_card import CARD_KEY, model_card
from asr_export.quantization.arithmetic import Arithmetic
from asr_export.quantization.dynamic_quantization import (
    JoinedHeads,
    quantized,
    utterance_by_utterance,
)
from asr_export.quantization.precision import Precision
from asr_export.verification.parity import ParityReport
from asr_export.verification.verify import check_export
from asr_train.checkpoints.checkpoint import Checkpoint
from asr_train.model.config import SAMPLE_RATE
from asr_train.output import replacing


def export_torchscript(
    checkpoint: Checkpoint, path: Path, precision: Precision = Precision.fp32
) -> ParityReport:
    """Write ``path`` and the parity report beside it; the card is the extra file ``model_card``.

    Args:
        checkpoint: the model.
        path: of the file to write.
        precision: fp32, or int8, in which this form computes as well (``quantized``).

    Raises:
        ExportError: it cannot be written there, or not in this precision.
        ParityError: its results differ; nothing is written.
    """
    if precision is Precision.fp16:
        raise ExportError("TorchScript comes in fp32 and int8; choose one of them with --precision")
    arithmetic = Arithmetic.int8 if precision is Precision.int8 else Arithmetic.fp32
    with replacing(path) as partial:
        card = model_card(checkpoint, precision=precision, arithmetic=arithmetic)
        in_int8 = arithmetic is Arithmetic.int8
        script = to_int8_torchscript(checkpoint) if in_int8 else to_torchscript(checkpoint)
        torch.jit.save(script, partial, _extra_files={CARD_KEY: json.dumps(card)})
        module, _ = load_torchscript(partial)
        report = check_export(
            checkpoint.model, TorchBackend(module), precision, arithmetic=arithmetic
        )
        report.require()
        report.save(path.with_name(f"{path.name}.parity.json"))
    return report


def to_torchscript(checkpoint: Checkpoint) -> torch.jit.ScriptModule:
    """The traced and frozen model; sizes of batch and time stay dynamic.

    ``torch.jit.optimize_for_inference`` was tried on it: slower, and what it makes can be
    saved but not loaded again ("required keyword attribute 'value' is undefined").
    """
    model = copy.deepcopy(checkpoint.model).eval().requires_grad_(False)
    with _quiet():
        frozen: torch.jit.ScriptModule = torch.jit.freeze(_traced(model, batch=2))
        return frozen


def to_int8_torchscript(checkpoint: Checkpoint) -> torch.jit.ScriptModule:
    """The same with dynamically quantised layers, utterance by utterance.

    Not frozen: that makes other convolutions of it, and differences in the last bit, once rounded
    to int8, become such that nothing could be told from a comparison with PyTorch.
    """
    network = _traced(JoinedHeads(quantized(checkpoint.model)).eval(), batch=1)
    model = utterance_by_utterance(network, checkpoint.model.config).eval()
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
    """Without PyTorch's remarks.

    TorchScript is deprecated, and tracing remarks on every size it meets; the parity check that
    follows is what tells whether sizes stayed dynamic.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
