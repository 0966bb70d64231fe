"""``asr-train evaluate`` and ``asr-train tune-decoder``: how well a model does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from asr_runtime.standard_streams import shown_name
from asr_train.data.manifest import Utterance, read_manifest
from asr_train.errors import ConfigError
from asr_train.output import check_writable, replacing

if TYPE_CHECKING:
    from asr_train.evaluation.decoder_tuning import Score
    from asr_train.evaluation.evaluate import Evaluation


def evaluate(
    checkpoint: Annotated[Path, typer.Argument(help="Checkpoint folder.")],
    manifest: Annotated[list[Path], typer.Option(help="Manifest to score; repeatable.")],
    worst: Annotated[int, typer.Option(min=0, help="How many bad utterances to show.")] = 10,
    gain_db: Annotated[float, typer.Option(help="Change the level of every recording.")] = 0.0,
    snr_db: Annotated[
        float | None,
        typer.Option(help="Add white noise at this signal-to-noise ratio."),
    ] = None,
    chunk_ms: Annotated[
        float | None,
        typer.Option(help="Score as a stream in such chunks; whole recordings if not given."),
    ] = None,
    lookahead_ms: Annotated[
        float, typer.Option(help="Look-ahead of the stream, with --chunk-ms.")
    ] = 320.0,
    json_out: Annotated[
        Path | None,
        typer.Option("--json", help="Also write figures and all transcripts here."),
    ] = None,
) -> None:
    """Word and character error rate of a checkpoint (greedy), and its worst utterances."""
    from asr_train.checkpoints.checkpoint import load_checkpoint
    from asr_train.data.audio_store import FileStore
    from asr_train.data.filtering import select_and_report
    from asr_train.evaluation.evaluate import Condition
    from asr_train.evaluation.evaluate import evaluate as score
    from asr_train.model.chunking import Chunking

    if json_out is not None:
        check_writable(json_out)
    model = load_checkpoint(checkpoint).model
    rows = [row for path in manifest for row in read_manifest(path)]
    rows = select_and_report(rows, model.config, "evaluation")
    chunking = None
    if chunk_ms is not None:
        chunking = Chunking.from_milliseconds(model.config, chunk_ms, lookahead_ms)
    result = score(
        model, rows, FileStore(rows), condition=Condition(gain_db, snr_db), chunking=chunking
    )
    rates = result.rates
    typer.echo(
        f"WER {100 * rates.word_error_rate:.2f} %  CER {100 * rates.character_error_rate:.2f} %  "
        f"({len(rows)} utterances, {rates.words} words)"
    )
    _show_worst(rows, result.texts, worst)
    if json_out is not None:
        _write_report(json_out, checkpoint, rows, result)


def _show_worst(rows: list[Utterance], texts: list[str], count: int) -> None:
    from asr_train.evaluation.metrics import word_errors

    ranked = sorted(
        zip(rows, texts, strict=True),
        key=lambda pair: -word_errors(pair[0].text, pair[1]) / len(pair[0].text.split()),
    )
    for row, text in ranked[:count]:
        typer.echo(f"\n{shown_name(row.audio.name)}\n  said  {row.text}\n  heard {text}")


def _write_report(path: Path, checkpoint: Path, rows: list[Utterance], result: Evaluation) -> None:
    document = {
        "checkpoint": str(checkpoint),
        "word_error_rate": result.rates.word_error_rate,
        "character_error_rate": result.rates.character_error_rate,
        "words": result.rates.words,
        "utterances": [
            {"audio_filepath": str(row.audio), "text": row.text, "hypothesis": text}
            for row, text in zip(rows, result.texts, strict=True)
        ],
    }
    with replacing(path) as partial:
        partial.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def tune_decoder(
    manifest: Annotated[list[Path], typer.Option(help="Manifest to score; repeatable.")],
    model: Annotated[
        Path | None,
        typer.Option(help="Exported ONNX model; the runtime's default one if left out."),
    ] = None,
    language_model: Annotated[
        Path | None,
        typer.Option(help="Language model; the runtime's default one if left out."),
    ] = None,
    scan: Annotated[
        list[str] | None,
        typer.Option(
            help="Beam setting and its values: --scan word_bonus=0,0.5,1; repeatable, all "
            "combinations are tried."
        ),
    ] = None,
    every: Annotated[int, typer.Option(min=1, help="Score one utterance in so many.")] = 1,
    cache: Annotated[
        Path | None,
        typer.Option(help="Keep the model's output in this .npz file for the next scan."),
    ] = None,
    gain_db: Annotated[float, typer.Option(help="Change the level of every recording.")] = 0.0,
    snr_db: Annotated[
        float | None,
        typer.Option(help="Add white noise at this signal-to-noise ratio."),
    ] = None,
) -> None:
    """Error rates of the beam search over its settings, and which are best for a model."""
    from asr_train.evaluation.decoder_tuning import combinations, parse_scan, scan_settings
    from asr_train.evaluation.evaluate import Condition

    values = parse_scan(scan or [])
    combinations(values)  # before the model runs
    rows = [row for path in manifest for row in read_manifest(path)][::every]
    if cache is not None:
        if cache.suffix != ".npz":
            raise ConfigError(f"{cache}: the cache is an .npz file; give it that ending")
        check_writable(cache)
    scores = scan_settings(
        rows,
        values,
        model=model,
        language_model=language_model,
        cache=cache,
        condition=Condition(gain_db, snr_db),
    )
    tried = []
    for score in scores:
        typer.echo(_score_line(score))
        if score.config is not None:
            tried.append(score)
    best = min(tried, key=lambda score: score.rates.word_error_rate)
    shown = ", ".join(f"{name}={value:g}" for name, value in best.varied.items())
    typer.echo(f"best: {type(best.config).__name__}({shown})")


def _score_line(score: Score) -> str:
    rates = score.rates
    line = (
        f"WER {100 * rates.word_error_rate:.2f} %  CER {100 * rates.character_error_rate:.2f} %  "
    )
    if score.config is None:
        return f"{line}greedy"
    varied = "  ".join(f"{name} {value:g}" for name, value in score.varied.items())
    return f"{line}RTF {score.real_time_factor:.4f}  {varied}"
