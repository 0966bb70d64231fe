"""``asr-train quantize`` and ``asr-train average``: checkpoints made of checkpoints."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from asr_runtime.standard_streams import shown_name
from asr_train.errors import OutputError
from asr_train.model.config import WeightQuantization


def quantize(
    checkpoint: Annotated[Path, typer.Argument(help="Checkpoint folder.")],
    out: Annotated[Path, typer.Argument(help="Folder to write.")],
    quantize_weights: Annotated[
        WeightQuantization,
        typer.Option(
            "--quantize-weights", "--round-weights", help="What to round to: fp16 or int8."
        ),
    ] = WeightQuantization.fp16,
) -> None:
    """Quantize a checkpoint's weights for shipping: half the size, as is what is exported from it.

    With int8 its exports are a quarter of the size, and in every precision the same model.
    """
    from asr_train.checkpoints.quantization import quantize_checkpoint

    _refuse_checkpoint(out)
    quantize_checkpoint(checkpoint, out, quantize_weights)
    name = shown_name(out)
    typer.echo(f"wrote {name}; check its error rates with: asr-train evaluate {name}")


def average(
    checkpoints: Annotated[list[Path], typer.Argument(help="Checkpoint folders of one run.")],
    out: Annotated[Path, typer.Option(help="Folder to write.")],
) -> None:
    """Average the weights of checkpoints, such as the epoch-* folders that --keep leaves."""
    from asr_train.checkpoints.averaging import average_checkpoints
    from asr_train.checkpoints.checkpoint import save_checkpoint

    _refuse_checkpoint(out)
    model, description = average_checkpoints(checkpoints)
    save_checkpoint(out, model, description)
    typer.echo(f"wrote {shown_name(out)}; score it with: asr-train evaluate {shown_name(out)}")


def _refuse_checkpoint(folder: Path) -> None:
    from asr_train.checkpoints.checkpoint import checkpoint_exists

    if checkpoint_exists(folder):
        raise OutputError(f"{folder} already holds a checkpoint; give another folder")
