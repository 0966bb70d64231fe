"""Checkpoint to a ``torch.export`` program (.pt2), TorchScript's successor: the same contract."""

from __future__ import annotations

import copy
import io
import warnings
from pathlib import Path

import torch
from torch.utils._sympy.numbers import int_oo
from torch.utils._sympy.value_ranges import ValueRanges

from asr_export.formats.model_format import ModelFormat
from asr_export.graph.pt2_gru import ExportableGRU, use_standard_gru
from asr_export.loading.backends import Backend, TorchBackend
from asr_export.loading.model_files import require_file
from asr_export.loading.pt2_file import load_pt2
from asr_export.source.quantized_checkpoint import QuantizedCheckpoint
from asr_runtime.model_file.contract import CARD_KEY, INPUT_LENGTHS, INPUT_VALUES, SAMPLE_RATE
from asr_train.model.network import BidirectionalGRU, ResCNNBiGRU


class TorchExportFormat(ModelFormat):
    """``torch.export``; the card is an extra file in the archive."""

    def write(self, source: QuantizedCheckpoint, path: Path) -> None:
        """Write the program, in one archive with its weights."""
        archive = io.BytesIO()
        card = {CARD_KEY: source.card.to_json()}
        torch.export.save(to_pt2(source.rounded), archive, extra_files=card)
        path.write_bytes(archive.getvalue())

    def open(self, path: Path, threads: int | None = None) -> tuple[Backend, str]:
        """Check the file before PyTorch sees it, then load it onto the CPU."""
        del threads
        require_file(path)
        module, card = load_pt2(path)
        return TorchBackend(module), card


def to_pt2(model: ResCNNBiGRU) -> torch.export.ExportedProgram:
    """Make a program in operators of ``aten`` alone; sizes of batch and time stay dynamic."""
    batch, samples = 2, 2 * SAMPLE_RATE
    example = (torch.zeros(batch, samples), torch.tensor([samples, samples // 2]))
    dynamic = torch.export.Dim.DYNAMIC
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of PyTorch, about its own deprecated functions
        program: torch.export.ExportedProgram = torch.export.export(
            _exportable(model),
            example,
            dynamic_shapes={
                INPUT_VALUES: {0: dynamic, 1: dynamic},
                INPUT_LENGTHS: {0: dynamic},
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
