"""Checkpoint to ONNX Runtime's own format: the same contract, for small builds of the engine."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from asr_export.formats.onnx import to_onnx
from asr_export.formats.ort_format import write_ort, write_required_operators
from asr_export.loading.backends import OnnxBackend
from asr_export.quantization.precision import Precision
from asr_export.verification.parity import ParityReport
from asr_export.verification.verify import check_export
from asr_train.checkpoints.checkpoint import Checkpoint
from asr_train.model.chunking import Chunking
from asr_train.output import replacing


def export_ort(
    checkpoint: Checkpoint,
    path: Path,
    precision: Precision = Precision.fp32,
    chunking: Chunking | None = None,
) -> ParityReport:
    """Write ``path`` (.ort), its required operators and the parity report beside it.

    ``chunking``: as ``export_onnx`` has it.

    Raises:
        ExportError: it cannot be written there, or its weights do not fit the precision.
        ParityError: its results differ; nothing is written.
    """
    operators = path.with_suffix(".required_operators.config")
    with (
        replacing(path) as partial,
        replacing(operators) as partial_operators,
        tempfile.TemporaryDirectory() as folder,
    ):
        draft = Path(folder) / "model.ort"  # ONNX Runtime goes by the suffix
        write_ort(to_onnx(checkpoint, precision, chunking=chunking), draft, precision)
        report = check_export(checkpoint.model, OnnxBackend(draft), precision, chunking=chunking)
        report.require()
        write_required_operators(draft, partial_operators, path.name)
        shutil.copyfile(draft, partial)
        report.save(path.with_name(f"{path.name}.parity.json"))
    return report
