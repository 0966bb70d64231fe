"""``asr-export``: convert, verify and inspect models.

PyTorch is imported inside the commands, so that ``--help`` does not wait for it.
"""

from __future__ import annotations

import json
from inspect import Parameter, Signature
from pathlib import Path
from typing import Annotated, Any

import typer

from asr_export.errors import ExportError
from asr_export.formats.registry import FORMATS, Format
from asr_export.quantization.precision import Arithmetic, Precision
from asr_export.source.options import (
    DEFAULT_CHUNK_MS,
    DEFAULT_LOOKAHEAD_MS,
    ExportOptions,
    stream_chunking,
)
from asr_export.web.command import web
from asr_runtime.standard_streams import shown_name
from asr_train.command.run_command import run_command

app = typer.Typer(
    help="Convert a trained checkpoint to ONNX, TorchScript and others, mel front end included.",
    pretty_exceptions_enable=False,
    no_args_is_help=True,
)

CheckpointArgument = Annotated[Path, typer.Argument(help="Checkpoint folder of asr-train.")]
ModelArgument = Annotated[
    Path, typer.Argument(help="Exported model: .onnx, .ort, .pt2 or TorchScript.")
]
ArithmeticOption = Annotated[
    Arithmetic,
    typer.Option(
        help="What the network computes in. fp16, with --precision fp16, is for GPUs and no "
        "faster on CPUs; the mel front end stays in float32."
    ),
]
DocumentationOption = Annotated[
    Path | None,
    typer.Option(
        "--model-card",
        help="Text to carry in the file's card: sources, licences, limits; Markdown.",
    ),
]
StreamingOption = Annotated[
    bool,
    typer.Option(
        "--streaming",
        help="A file that can be run chunk by chunk as well, for live transcripts; on whole "
        "recordings it is the same model.",
    ),
]
ChunkOption = Annotated[
    float | None,
    typer.Option(help=f"Chunk that a streaming file recommends; {DEFAULT_CHUNK_MS:g} by default."),
]
LookaheadOption = Annotated[
    float | None,
    typer.Option(help=f"Look-ahead that it recommends; {DEFAULT_LOOKAHEAD_MS:g} by default."),
]


def _add_export_command(chosen: Format) -> None:
    """Make the command of a format, with the options that the format has.

    Typer reads a command's parameters from its signature, so the signature is put together here
    from the format's row.
    """

    def command(**values: Any) -> None:
        _export(chosen, **values)

    takes: dict[str, tuple[Any, Any]] = {
        "checkpoint": (CheckpointArgument, Parameter.empty),
        "out": (
            Annotated[
                Path,
                typer.Argument(help=f"{chosen.title} file to write, such as {chosen.example}."),
            ],
            Parameter.empty,
        ),
    }
    if len(chosen.precisions) > 1:
        option = typer.Option(help=chosen.precision_help)
        takes["precision"] = (Annotated[Precision, option], Precision.fp32)
    if any(len(choices) > 1 for choices in chosen.arithmetic.values()):
        takes["arithmetic"] = (ArithmeticOption, Arithmetic.fp32)
    takes["documentation"] = (DocumentationOption, None)
    if chosen.streams:
        takes["streaming"] = (StreamingOption, False)
        takes["chunk_ms"] = (ChunkOption, None)
        takes["lookahead_ms"] = (LookaheadOption, None)
    kind = Parameter.POSITIONAL_OR_KEYWORD
    parameters = [
        Parameter(name, kind, default=default, annotation=annotation)
        for name, (annotation, default) in takes.items()
    ]
    command.__signature__ = Signature(parameters)  # type: ignore[attr-defined]
    command.__annotations__ = {name: annotation for name, (annotation, _) in takes.items()}
    app.command(chosen.name, help=chosen.summary)(command)


def _export(
    chosen: Format,
    checkpoint: Path,
    out: Path,
    precision: Precision = Precision.fp32,
    arithmetic: Arithmetic | None = None,
    documentation: Path | None = None,
    streaming: bool = False,
    chunk_ms: float | None = None,
    lookahead_ms: float | None = None,
) -> None:
    chosen.check_name(out)
    if not streaming and (chunk_ms is not None or lookahead_ms is not None):
        raise ExportError("--chunk-ms and --lookahead-ms need --streaming; give it as well")

    from asr_export.exporting import export
    from asr_export.source.card import read_documentation
    from asr_train.checkpoints.checkpoint import load_checkpoint

    text = None if documentation is None else read_documentation(documentation)
    source = load_checkpoint(checkpoint)
    chunking = None
    if streaming:
        chunking = stream_chunking(
            source.model.config,
            DEFAULT_CHUNK_MS if chunk_ms is None else chunk_ms,
            DEFAULT_LOOKAHEAD_MS if lookahead_ms is None else lookahead_ms,
        )
    report = export(source, out, ExportOptions(precision, arithmetic, chunking, text))
    typer.echo(report.table())
    typer.echo(f"wrote {shown_name(out)} ({out.stat().st_size / 1e6:.1f} MB)")
    if arithmetic is Arithmetic.fp16:
        typer.echo("it computes in float16, for GPUs; on a CPU that is no faster than float32")


for _format in FORMATS:
    _add_export_command(_format)
app.command()(web)


@app.command()
def verify(
    checkpoint: CheckpointArgument,
    model: ModelArgument,
    manifest: Annotated[
        list[Path] | None,
        typer.Option(
            help="Compare on the recordings of this JSON-lines manifest as well, and their word "
            "error rates; repeatable."
        ),
    ] = None,
    json_out: Annotated[
        Path | None, typer.Option("--json", help="Also write the table here.")
    ] = None,
) -> None:
    """Compare an exported model with its checkpoint over batch sizes and lengths."""
    from asr_export.verification.verify import verify as verify_model
    from asr_train.output import check_writable

    if json_out is not None:
        check_writable(json_out)
    report = verify_model(checkpoint, model, manifest or ())
    typer.echo(report.table())
    if json_out is not None:
        report.save(json_out)
    if not report.same_checkpoint:
        typer.echo("note: the model's card names another checkpoint", err=True)
    report.require()
    error, widened = report.quantization, report.in_float32
    rounded = "" if error is None else f" rounded to {error.precision.value}"
    exactly = "" if widened is None else f", its graph in float32 within {widened.tolerance:g}"
    names = f"{shown_name(model)}: equal to {shown_name(checkpoint)}"
    typer.echo(f"{names}{rounded} within {report.tolerance:g}{exactly}")


@app.command()
def inspect(
    model: ModelArgument,
    as_json: Annotated[bool, typer.Option("--json", help="Print all of it as JSON.")] = False,
) -> None:
    """Show a model's card, inputs, outputs, operations, operators, size by layer, SHA-256."""
    from asr_export.inspection.inspect import inspect_model
    from asr_export.inspection.text import inspection_text

    report = inspect_model(model)
    typer.echo(json.dumps(report, indent=2) if as_json else inspection_text(report))


def main() -> None:
    """Run the command line."""
    run_command(app, "asr-export")
