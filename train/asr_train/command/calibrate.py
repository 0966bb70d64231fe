"""``asr-train calibrate``: true word times and honest confidences for an exported model."""

from __future__ import annotations

import json
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from asr_runtime.standard_streams import shown_name
from asr_train.data.manifest import read_manifest
from asr_train.errors import ConfigError, DataError
from asr_train.output import check_writable, replacing

if TYPE_CHECKING:
    from asr_train.evaluation.calibration import CalibrationReport


class CalibratedDecoder(str, Enum):
    """Which decoder's words are calibrated."""

    beam = "beam"
    greedy = "greedy"


def calibrate(
    checkpoint: Annotated[Path, typer.Argument(help="Checkpoint folder; the result goes into it.")],
    model: Annotated[Path, typer.Argument(help="ONNX model that was exported from it.")],
    manifest: Annotated[
        list[Path], typer.Option(help="Recordings that the model was not trained on; repeatable.")
    ],
    decoder: Annotated[
        CalibratedDecoder, typer.Option(help="Whose words; each has a calibration of its own.")
    ] = CalibratedDecoder.beam,
    language_model: Annotated[
        Path | None, typer.Option(help="Language model; the runtime's default one if left out.")
    ] = None,
    word_times: Annotated[
        Path | None,
        typer.Option(help="Word times by another aligner; without them times stay as they are."),
    ] = None,
    plot: Annotated[
        Path | None, typer.Option(help="Reliability diagram to write, .svg or .png.")
    ] = None,
) -> None:
    """Fit corrections of word times and confidences; export the checkpoint again afterwards.

    An exported model's card then has them, and asr-run applies them.
    """
    from asr_runtime import AsrRuntimeError, Recognizer
    from asr_train.evaluation.calibration import fit_calibration, read_word_times, word_outcomes

    if decoder is CalibratedDecoder.greedy and language_model is not None:
        raise ConfigError("greedy decoding takes no language model; leave --language-model out")
    config = checkpoint / "config.json"
    if not config.is_file():
        raise DataError(f"{checkpoint} is no checkpoint folder: it has no config.json")
    if plot is not None:
        if plot.suffix not in (".png", ".svg"):
            raise ConfigError(f"{plot}: a plot is a .svg or a .png; choose one of these endings")
        check_writable(plot)
    times = None if word_times is None else read_word_times(word_times)
    rows = [row for path in manifest for row in read_manifest(path)]
    try:
        recognizer = Recognizer.load(
            model,
            device="cpu",
            decoder=decoder.value,
            language_model=language_model,
            calibrated=False,
        )
    except AsrRuntimeError as error:
        raise DataError(str(error)) from None
    kind = recognizer.decoding
    report = fit_calibration(word_outcomes(rows, recognizer, times))
    _echo(kind, report)
    document = json.loads(config.read_text(encoding="utf-8"))
    calibration = document["training"].setdefault("calibration", {})
    calibration[kind] = report.calibration.to_dict()
    with replacing(config) as partial:
        partial.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    typer.echo(f"wrote {shown_name(config)}; export the checkpoint again for a model that has it")
    if plot is not None:
        draw_reliability(plot, report)


def _echo(kind: str, report: CalibrationReport) -> None:
    found = report.calibration
    typer.echo(
        f"{kind}: {report.words} words; expected calibration error {report.error_before:.3f} "
        f"before, {report.error_after:.3f} after, Brier score {report.brier_before:.3f} and "
        f"{report.brier_after:.3f} (on recordings that it was not fitted on)"
    )
    if report.start_error is not None:
        median, most = report.start_error
        typer.echo(
            f"starts come {-1000 * found.start_shift:.0f} ms late, ends "
            f"{-1000 * found.end_shift:.0f} ms; starts are then off by {1000 * median:.0f} ms "
            f"(median) and {1000 * most:.0f} ms (95th percentile)"
        )


def draw_reliability(path: Path, report: CalibrationReport) -> None:
    """Draw the share of right words over their confidence.

    Args:
        path: Image to write, in the format that its name ends with.
        report: What was measured.
    """
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    # Text stays text and names do not depend on the day, so that the file is small and its changes
    # are those of the figures.
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "calibration"}):
        figure = Figure(figsize=(4, 4), layout="constrained")
        axes = figure.subplots()
        axes.plot([0, 1], [0, 1], color="0.7", linewidth=1)
        means, shares, counts = zip(*report.bins, strict=True)
        axes.scatter(means, shares, [4 + count / 10 for count in counts])
        for mean, share, count in report.bins:
            axes.annotate(
                f"{count:,}", (mean, share), xytext=(8, -10), textcoords="offset points", fontsize=7
            )
        axes.set(
            xlabel="confidence",
            ylabel="share of right words",
            title=f"{report.words:,} words, error {report.error_after:.3f}",
            xlim=(0, 1),
            ylim=(0, 1),
        )
        form = path.suffix[1:]
        with replacing(path) as partial:
            metadata = {"Date": None} if form == "svg" else None
            figure.savefig(partial, format=form, dpi=100, metadata=metadata)
