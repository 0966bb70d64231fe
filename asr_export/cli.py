"""``asr-export``: convert, verify and inspect models."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, Optional

import typer

from asr_export.quantization.precision import Precision
from asr_export.web.command import web
from asr_train.command.run_command import run_command

if TYPE_CHECKING:
    from asr_train.checkpoints.checkpoint import Checkpoint
    from asr_train.model.chunking import Chunking

app = typer.Typer(
    help="Convert a trained checkpoint to ONNX, TorchScript and others, mel front end included.",
    pretty_exceptions_enable=False,
    no_args_is_help=True,
)

app.command()(web)

CheckpointArgument = Annotated[Path, typer.Argument(help="Checkpoint folder of asr-train.")]
Streaming = Annotated[
    bool,
    typer.Option(
        "--streaming",
        help="A file that can be run chunk by chunk as well, for live transcripts; on whole "
        "recordings it is the same model.",
    ),
]
ChunkMilliseconds = Annotated[
    Optional[float],  # noqa: UP045 - typer reads it at run time on Python 3.10
    typer.Option(help="Chunk that a streaming file recommends; 640 by default."),
]
LookaheadMilliseconds = Annotated[
    Optional[float],  # noqa: UP045
    typer.Option(help="Look-ahead that it recommends; 320 by default."),
]


@app.command("onnx")
def onnx_command(
    checkpoint: CheckpointArgument,
    out: Annotated[Path, typer.Argument(help="ONNX file to write, such as model.onnx.")],
    precision: Annotated[
        Precision,
        typer.Option(
            help="How the file holds the weights: as they are, rounded to float16, or to int8 and "
            "float16."
        ),
    ] = Precision.fp32,
    arithmetic: Annotated[
        Literal["fp32", "fp16"],
        typer.Option(
            help="What the network computes in. fp16, with --precision fp16, is for GPUs and no "
            "faster on CPUs; the mel front end stays in float32."
        ),
    ] = "fp32",
    documentation: Annotated[
        Optional[Path],  # noqa: UP045 - typer reads it at run time on Python 3.10
        typer.Option(
            "--model-card",
            help="Text to carry in the file's card: sources, licences, limits; Markdown.",
        ),
    ] = None,
    streaming: Streaming = False,
    chunk_ms: ChunkMilliseconds = None,
    lookahead_ms: LookaheadMilliseconds = None,
) -> None:
    """Export to ONNX, verify, and write vocab.txt and config.json beside it."""
    from asr_export.errors import ExportError
    from asr_export.formats.onnx import export_onnx
    from asr_export.loading.model_card import read_documentation
    from asr_export.quantization.arithmetic import Arithmetic
    from asr_train.checkpoints.checkpoint import load_checkpoint

    if out.suffix.lower() != ".onnx":
        raise ExportError(f"{out}: an ONNX file's name must end in .onnx")
    text = None if documentation is None else read_documentation(documentation)
    source = load_checkpoint(checkpoint)
    chunking = _chunking(source, streaming, chunk_ms, lookahead_ms)
    report = export_onnx(source, out, precision, text, chunking, Arithmetic(arithmetic))
    _announce(out, report.table())
    if arithmetic == "fp16":
        typer.echo("it computes in float16, for GPUs; on a CPU that is no faster than float32")


@app.command("ort")
def ort_command(
    checkpoint: CheckpointArgument,
    out: Annotated[Path, typer.Argument(help="ORT file to write, such as model.ort.")],
    precision: Annotated[
        Precision,
        typer.Option(
            help="How the file holds the weights. fp16 and int8 are expanded at every run, which "
            "takes a little time."
        ),
    ] = Precision.fp32,
    streaming: Streaming = False,
    chunk_ms: ChunkMilliseconds = None,
    lookahead_ms: LookaheadMilliseconds = None,
) -> None:
    """Export to ONNX Runtime's own format, for reduced builds of it, and verify."""
    from asr_export.errors import ExportError
    from asr_export.formats.ort import export_ort
    from asr_train.checkpoints.checkpoint import load_checkpoint

    if out.suffix != ".ort":
        raise ExportError(f"{out}: the file's name must end in .ort; ONNX Runtime goes by it")
    source = load_checkpoint(checkpoint)
    chunking = _chunking(source, streaming, chunk_ms, lookahead_ms)
    report = export_ort(source, out, precision, chunking)
    _announce(out, report.table())


@app.command("pt2")
def pt2_command(
    checkpoint: CheckpointArgument,
    out: Annotated[Path, typer.Argument(help="File to write, such as model.pt2.")],
) -> None:
    """Export to a torch.export program and verify."""
    from asr_export.errors import ExportError
    from asr_export.formats.pt2 import export_pt2
    from asr_train.checkpoints.checkpoint import load_checkpoint

    if out.suffix != ".pt2":
        raise ExportError(f"{out}: the file's name must end in .pt2; PyTorch goes by it")
    report = export_pt2(load_checkpoint(checkpoint), out)
    _announce(out, report.table())


@app.command("torchscript")
def torchscript_command(
    checkpoint: CheckpointArgument,
    out: Annotated[Path, typer.Argument(help="TorchScript file to write, such as model.pt.")],
    precision: Annotated[
        Precision,
        typer.Option(help="fp32, or int8 weights and arithmetic in recurrent and linear layers."),
    ] = Precision.fp32,
) -> None:
    """Export to TorchScript and verify."""
    from asr_export.errors import ExportError
    from asr_export.formats.torchscript import export_torchscript
    from asr_export.loading.backends import model_format
    from asr_train.checkpoints.checkpoint import load_checkpoint

    if model_format(out) != "torchscript":
        raise ExportError(f"{out}: a TorchScript file's name must not end in {out.suffix}")
    report = export_torchscript(load_checkpoint(checkpoint), out, precision)
    _announce(out, report.table())


@app.command()
def verify(
    checkpoint: CheckpointArgument,
    model: Annotated[
        Path, typer.Argument(help="Exported model: .onnx, .ort, .pt2 or TorchScript.")
    ],
    manifest: Annotated[
        Optional[list[Path]],  # noqa: UP045 - typer reads it at run time on Python 3.10
        typer.Option(
            help="Compare on the recordings of this JSON-lines manifest as well, and their word "
            "error rates; repeatable."
        ),
    ] = None,
    json_out: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--json", help="Also write the table here."),
    ] = None,
) -> None:
    """Compare an exported model with its checkpoint over batch sizes and lengths."""
    from asr_export.loading.backends import load_backend, read_card
    from asr_export.verification.transcript_regression import reading_loss
    from asr_export.verification.verify import (
        check_export,
        stated_arithmetic,
        stated_chunking,
        stated_precision,
    )
    from asr_train.checkpoints.checkpoint import WEIGHTS, load_checkpoint
    from asr_train.data.filtering import select_and_report
    from asr_train.data.manifest import read_manifest
    from asr_train.output import check_writable

    if json_out is not None:
        check_writable(json_out)
    source = load_checkpoint(checkpoint)
    card = read_card(model)
    precision, arithmetic = stated_precision(card), stated_arithmetic(card)
    candidate = load_backend(model)
    rows = [row for path in manifest or [] for row in read_manifest(path)]
    if rows:
        rows = select_and_report(rows, source.model.config, "recordings")
    report = check_export(
        source.model,
        candidate,
        precision,
        arithmetic=arithmetic,
        chunking=stated_chunking(card),
    )
    if rows:
        loss = reading_loss(
            source.model,
            candidate,
            precision,
            rows,
            checkpoint_bytes=(checkpoint / WEIGHTS).stat().st_size,
            model_bytes=model.stat().st_size,
            arithmetic=arithmetic,
        )
        report = replace(report, reading=loss)
    typer.echo(report.table())
    if json_out is not None:
        report.save(json_out)
    if card.get("checkpoint_sha256") != source.sha256:
        typer.echo("note: the model's card names another checkpoint", err=True)
    report.require()
    rounded = "" if report.rounding is None else f" rounded to {report.rounding.precision.value}"
    widened = report.in_float32
    exactly = "" if widened is None else f", its graph in float32 within {widened.tolerance:g}"
    typer.echo(f"{model}: equal to {checkpoint}{rounded} within {report.tolerance:g}{exactly}")


@app.command()
def inspect(
    model: Annotated[
        Path, typer.Argument(help="Exported model: .onnx, .ort, .pt2 or TorchScript.")
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print all of it as JSON.")] = False,
) -> None:
    """Show a model's card, inputs, outputs, operations, operators, size by layer, SHA-256."""
    from asr_export.inspection.inspect import inspect_model
    from asr_export.inspection.text import inspection_text

    report = inspect_model(model)
    typer.echo(json.dumps(report, indent=2) if as_json else inspection_text(report))


def _chunking(
    source: Checkpoint, streaming: bool, chunk_ms: float | None, lookahead_ms: float | None
) -> Chunking | None:
    from asr_export.errors import ExportError
    from asr_export.graph.streaming_inputs import DEFAULT_CHUNK_MS, DEFAULT_LOOKAHEAD_MS
    from asr_train.model.chunking import Chunking

    if not streaming:
        if chunk_ms is not None or lookahead_ms is not None:
            raise ExportError("--chunk-ms and --lookahead-ms need --streaming; give it as well")
        return None
    return Chunking.from_milliseconds(
        source.model.config,
        DEFAULT_CHUNK_MS if chunk_ms is None else chunk_ms,
        DEFAULT_LOOKAHEAD_MS if lookahead_ms is None else lookahead_ms,
    )


def _announce(out: Path, table: str) -> None:
    typer.echo(table)
    typer.echo(f"wrote {out} ({out.stat().st_size / 1e6:.1f} MB)")


def main() -> None:
    """Entry point."""
    run_command(app, "asr-export")
