"""One export: a checkpoint becomes a file, which is compared with it before it takes its place."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from asr_export.formats.registry import format_of
from asr_export.source.options import ExportOptions
from asr_export.source.quantized_checkpoint import QuantizedCheckpoint
from asr_export.verification.check_export import check_export
from asr_export.verification.parity import ParityReport
from asr_train.checkpoints.checkpoint import Checkpoint, load_checkpoint
from asr_train.output import replacing


def export(
    checkpoint: Checkpoint | str | os.PathLike[str],
    path: str | os.PathLike[str],
    options: ExportOptions | None = None,
) -> ParityReport:
    """Export a checkpoint, mel front end included, and verify the file.

    Beside the file come its companions (for ONNX ``vocab.txt`` and ``config.json``, for ORT the
    operators that it needs) and the report, ``NAME.parity.json``. Nothing is written, and nothing
    that was there before changes, unless the comparison with PyTorch has passed.

    Args:
        checkpoint: folder that asr-train wrote, or a checkpoint that is loaded already.
        path: file to write. Its suffix chooses the format: ``.onnx``, ``.ort``, ``.pt2``, or any
            other, such as ``.pt``, for TorchScript.
        options: precision and the like; float32 for whole recordings without them.

    Returns:
        The comparison with the checkpoint, which has passed.

    Raises:
        CheckpointError: the folder is not a checkpoint.
        ExportError: the format does not come in these options, the weights do not fit the
            precision, or a companion would overwrite something else.
        OutputError: the file cannot be written there.
        ParityError: its results differ.
    """
    path = Path(path)
    chosen = format_of(path)
    chosen.check_name(path)
    settled = chosen.settle(options or ExportOptions())
    loaded = checkpoint if isinstance(checkpoint, Checkpoint) else load_checkpoint(Path(checkpoint))
    source, files = QuantizedCheckpoint(loaded, settled), chosen.files
    files.check_destination(source, path)
    with replacing(path) as partial, tempfile.TemporaryDirectory() as folder:
        draft = Path(folder) / path.name
        files.write(source, draft)
        report = check_export(source, files.open(draft)[0])
        report.require()
        for companion, text in files.companions(source, draft, path).items():
            with replacing(companion) as unfinished:
                unfinished.write_text(text, encoding="utf-8")
        report.save(path.with_name(f"{path.name}.parity.json"))
        shutil.copyfile(draft, partial)
    return report
