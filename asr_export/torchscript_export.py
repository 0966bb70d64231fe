"""Checkpoint to TorchScript: the same contract, for programs that embed libtorch."""

from __future__ import annotations

import copy
import json
import warnings
from pathlib import Path

import torch

from asr_export.backends import TorchBackend, load_torchscript
from asr_export.model_card import CARD_KEY, model_card
from asr_export.parity import ParityReport, check_parity
from asr_train.checkpoint import Checkpoint
from asr_train.config import SAMPLE_RATE
from asr_train.output import replacing


def export_torchscript(checkpoint: Checkpoint, path: Path) -> ParityReport:
    """Write ``path`` and the parity report beside it; the card is the extra file ``model_card``.

    Raises:
        ExportError: it cannot be written there.
        ParityError: its results differ; nothing is written.
    """
    with replacing(path) as partial:
        card = json.dumps(model_card(checkpoint))
        torch.jit.save(to_torchscript(checkpoint), partial, _extra_files={CARD_KEY: card})
        module, _ = load_torchscript(partial)
        report = check_parity(
            TorchBackend(checkpoint.model), TorchBackend(module), checkpoint.model.config
        )
        report.require()
        report.save(path.with_name(f"{path.name}.parity.json"))
    return report


def to_torchscript(checkpoint: Checkpoint) -> torch.jit.ScriptModule:
    """The traced and frozen model; sizes of batch and time stay dynamic."""
    samples = 2 * SAMPLE_RATE
    example = (torch.zeros(2, samples), torch.tensor([samples, samples // 2]))
    model = copy.deepcopy(checkpoint.model).eval().requires_grad_(False)
    with warnings.catch_warnings():
        # TorchScript is deprecated, and tracing remarks on every size it meets; the parity check
        # that follows is what tells whether sizes stayed dynamic.
        warnings.simplefilter("ignore")
        traced = torch.jit.trace(  # type: ignore[no-untyped-call]
            model, example, check_trace=False
        )
        frozen: torch.jit.ScriptModule = torch.jit.freeze(traced)
        return frozen
