"""Checkpoint to a ``torch.export`` program (.pt2), TorchScript's successor: the same contract."""

from __future__ import annotations

import copy
import io
import json
import warnings
from pathlib import Path

import torch
from torch.utils._sympy.numbers import int_oo
from torch.utils._sympy.value_ranges import ValueRanges

from asr_export.graph.pt2_gru import ExportableGRU, use_standard_gru
from asr_export.loading.backends import TorchBackend
from asr_export.loading.model_card import CARD_KEY, model_card
from asr_export.loading.pt2_file import load_pt2
from asr_export.quantization.precision import Precision
from asr_export.verification.parity import ParityReport
from asr_export.verification.verify import check_export
from asr_train.checkpoints.checkpoint import Checkpoint
from asr_train.model.config import SAMPLE_RATE
from asr_train.model.network import BidirectionalGRU, ResCNNBiGRU
from asr_train.output import replacing


def export_pt2(checkpoint: Checkpoint, path: Path) -> ParityReport:
    """Write ``path`` and the parity report beside it; the card is the extra file ``model_card``.

    Raises:
        ExportError: it cannot be written there.
        ParityError: its results differ; nothing is written.
    """
    with replacing(path) as partial:
        archive = io.BytesIO()
        card = json.dumps(model_card(checkpoint))
        torch.export.save(to_pt2(checkpoint), archive, extra_files={CARD_KEY: card})
        partial.write_bytes(archive.getvalue())
        module, _ = load_pt2(partial)
        report = check_export(checkpoint.model, TorchBackend(module), Precision.fp32)
        report.require()
        report.save(path.with_name(f"{path.name}.parity.json"))
    return report


def to_pt2(checkpoint: Checkpoint) -> torch.export.ExportedProgram:
    """The program in operators of ``aten`` alone; sizes of batch and time stay dynamic."""
    batch, samples = 2, 2 * SAMPLE_RATE
    example = (torch.zeros(batch, samples), torch.tensor([samples, samples // 2]))
    dynamic = torch.export.Dim.DYNAMIC
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of PyTorch, about its own deprecated functions
        program: torch.export.ExportedProgram = torch.export.export(
            _exportable(checkpoint.model),
            example,
            dynamic_shapes={
                "input_values": {0: dynamic, 1: dynamic},
                "input_lengths": {0: dynamic},
            },
        )
        # No layer is taken apart; autocast's block and dropout go.
        program = program.run_decompositions({})
    use_standard_gru(program)
    _strip(program)
    return program


def _exportable(model: ResCNNBiGRU) -> ResCNNBiGRU:
    clone = copy.deepcopy(model).eval().requires_grad_(False)
    for module in clone.modules():
        if isinstance(module, BidirectionalGRU):
            module.forward_gru = ExportableGRU(module.forward_gru)  # type: ignore[assignment]
            module.backward_gru = ExportableGRU(module.backward_gru)  # type: ignore[assignment]
    return clone


def _strip(program: torch.export.ExportedProgram) -> None:
    """Drop the example, and the exporter's notes (stack traces of the machine it ran on)."""
    program._example_inputs = None
    # The exporter assumes sizes of two and more; no operator here needs it.
    program._guards_code = []
    for symbol in program.range_constraints:
        program.range_constraints[symbol] = ValueRanges(0, int_oo)
    for node in program.graph.nodes:
        node.meta = {"val": node.meta["val"]} if "val" in node.meta else {}
