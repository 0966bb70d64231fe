"""``asr-export web``."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from asr_runtime.standard_streams import shown_name


def web(
    model: Annotated[
        str,
        typer.Argument(
            help="Checkpoint folder of asr-train, ONNX file of asr-export, or `default` for the "
            "model of asr-runtime."
        ),
    ],
    out: Annotated[Path, typer.Argument(help="Folder for the page; new, empty or a page's.")],
    language_model: Annotated[
        str,
        typer.Option(
            help="small: English, 11 MB; large: English, 29 MB, fewer errors; none; or a file of "
            "asr-train language-model."
        ),
    ] = "small",
    onnxruntime_web: Annotated[
        Path | None,
        typer.Option(
            help="Folder with node_modules/onnxruntime-web; looked for here and above by default."
        ),
    ] = None,
    words_wrong: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=100,
            help="Percent of words that are wrong with the language model, for the page to say.",
        ),
    ] = None,
    serve: Annotated[
        int | None,
        typer.Option(
            metavar="PORT", help="Then serve it on this computer, at http://127.0.0.1:PORT/."
        ),
    ] = None,
) -> None:
    """Make a page that transcribes inside the browser: a folder for any web server."""
    from asr_export.errors import ExportError
    from asr_export.formats.registry import read_card
    from asr_export.web.onnxruntime_files import OnnxRuntimeFiles
    from asr_export.web.packaged import find_language_model, known_words_wrong
    from asr_export.web.page_folder import check_folder, write_page
    from asr_runtime.recognizer import DEFAULT_MODEL

    # What is missing is said before a model is exported, which takes a while.
    check_folder(out)
    words = find_language_model(language_model)
    OnnxRuntimeFiles.expected().read(onnxruntime_web)
    with tempfile.TemporaryDirectory() as temporary:
        path = DEFAULT_MODEL if model == "default" else Path(model)
        if path.is_dir():
            path = _exported(path, Path(temporary))
        elif path.suffix.lower() != ".onnx":
            raise ExportError(f"{path}: give a checkpoint folder, an .onnx file, or default")
        card = read_card(path)
        rates = known_words_wrong(card, words)
        if words_wrong is not None:
            rates = replace(rates, beam=words_wrong / 100)
        report = write_page(out, path, card, words, onnxruntime_web, rates)
    for warning in report.warnings:
        typer.echo(f"note: {warning}", err=True)
    ours, heavy = report.bytes_ours / 1e6, report.bytes_onnxruntime / 1e6
    typer.echo(f"wrote {shown_name(out)} ({ours:.1f} MB, and {heavy:.1f} MB of ONNX Runtime)")
    if serve is not None:
        _serve(out, serve)


def _exported(checkpoint: Path, folder: Path) -> Path:
    """A checkpoint as a small ONNX file that streams."""
    from asr_export.exporting import export
    from asr_export.quantization.precision import Precision
    from asr_export.source.options import ExportOptions, stream_chunking
    from asr_train.checkpoints.checkpoint import load_checkpoint

    source = load_checkpoint(checkpoint)
    chunking = stream_chunking(source.model.config)
    path = folder / "model.onnx"
    export(source, path, ExportOptions(Precision.int8, chunking=chunking))
    return path


def _serve(folder: Path, port: int) -> None:
    from asr_export.web.server import page_server

    with page_server(folder, port) as server:
        typer.echo(f"http://127.0.0.1:{server.server_port}/ (Ctrl-C ends)")
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            typer.echo()
