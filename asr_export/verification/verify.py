"""An exported file against its checkpoint: what ``asr-export verify`` does."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from asr_export.formats.registry import open_model
from asr_export.source.options import ExportOptions
from asr_export.source.quantized_checkpoint import QuantizedCheckpoint
from asr_export.verification.check_export import check_export
from asr_export.verification.parity import ParityReport
from asr_export.verification.transcript_regression import measure_transcripts
from asr_train.checkpoints.checkpoint import WEIGHTS, load_checkpoint
from asr_train.data.filtering import select_and_report
from asr_train.data.manifest import read_manifest


def verify(
    checkpoint: str | os.PathLike[str],
    model: str | os.PathLike[str],
    manifests: Sequence[str | os.PathLike[str]] = (),
) -> ParityReport:
    """Compare an exported model with its checkpoint over batch sizes and lengths.

    Args:
        checkpoint: folder that asr-train wrote.
        model: exported file of any format; its card tells the options that it was exported with.
        manifests: JSON-lines files of recordings to compare transcripts on as well. How many of
            them can be used is printed on standard error.

    Returns:
        The report, also of a model that differs; see ``ParityReport.passed`` and ``require``.

    Raises:
        CheckpointError: the folder is not a checkpoint.
        ExportError: the file is not a model of ours.
        DataError: a manifest or a recording cannot be read.
    """
    folder, path = Path(checkpoint), Path(model)
    loaded = load_checkpoint(folder)
    opened = open_model(path)
    source = QuantizedCheckpoint(loaded, ExportOptions.from_card(opened.card))
    utterances = [row for manifest in manifests for row in read_manifest(Path(manifest))]
    if utterances:
        utterances = select_and_report(utterances, source.config, "recordings")
    report = replace(
        check_export(source, opened.backend),
        same_checkpoint=opened.card.checkpoint_sha256 == loaded.sha256,
    )
    if not utterances:
        return report
    transcripts = measure_transcripts(
        source,
        opened.backend,
        utterances,
        checkpoint_bytes=(folder / WEIGHTS).stat().st_size,
        model_bytes=path.stat().st_size,
    )
    return replace(report, transcripts=transcripts)
