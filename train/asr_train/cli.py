"""``asr-train``: fit a model, evaluate a checkpoint."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Optional

import typer

from asr_train.augmentation.waveform import AugmentationConfig
from asr_train.checkpoints.checkpoint import (
    checkpoint_exists,
    load_checkpoint,
    save_checkpoint,
)
from asr_train.checkpoints.quantization import WeightRounding, compact_checkpoint
from asr_train.command.language_model import language_model, tune_decoder
from asr_train.command.pronunciation import g2p, lexicon
from asr_train.command.punctuation import punctuation, punctuation_evaluate
from asr_train.command.run_command import run_command
from asr_train.data.batching import PadTo
from asr_train.data.filtering import select_and_report
from asr_train.data.manifest import Utterance, read_manifest
from asr_train.errors import DataError, OutputError
from asr_train.model.chunking import ChunkedTraining, Chunking
from asr_train.model.config import preset
from asr_train.output import check_writable, replacing
from asr_train.synthesis.engines import Engine, load_engine
from asr_train.training.config import Device, Precision, TrainingConfig
from asr_train.training.loss import MaskingConfig, ObjectiveConfig
from asr_train.training.trainer import Trainer

app = typer.Typer(
    help="Train and evaluate ResCNN-BiGRU speech recognisers.",
    pretty_exceptions_enable=False,
    no_args_is_help=True,
)

Manifests = Optional[list[Path]]  # noqa: UP045 - typer reads it at run time on Python 3.10


@app.command()
def fit(
    out: Annotated[Path, typer.Option(help="Folder of the run: checkpoints, logs, plot.")],
    train_manifest: Annotated[
        Manifests, typer.Option(help="JSON-lines manifest with NeMo's keys; repeatable.")
    ] = None,
    dev_manifest: Annotated[
        Manifests, typer.Option(help="Scored after every epoch; repeatable.")
    ] = None,
    librispeech: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(help="Folder that holds 'LibriSpeech'; trains on --subset."),
    ] = None,
    subset: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option(help="LibriSpeech training subset, train-clean-100 by default; repeatable."),
    ] = None,
    dev_subset: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(help="LibriSpeech subset to score after every epoch."),
    ] = None,
    download: Annotated[bool, typer.Option(help="Fetch missing LibriSpeech subsets.")] = False,
    preset_name: Annotated[str, typer.Option("--preset", help="edge or base.")] = "edge",
    set_fields: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option("--set", help="Override a model field: --set gru_layers=2; repeatable."),
    ] = None,
    epochs: Annotated[int, typer.Option(min=1)] = 30,
    batch_seconds: Annotated[
        float, typer.Option(min=1, help="Padded audio a step, over all processes.")
    ] = 160.0,
    learning_rate: Annotated[float, typer.Option(help="Peak of the OneCycle schedule.")] = 1.5e-3,
    warmup: Annotated[float, typer.Option(min=0, max=1, help="Rising part of the steps.")] = 0.1,
    weight_decay: Annotated[float, typer.Option(min=0)] = 1e-2,
    max_grad_norm: Annotated[float, typer.Option(min=0)] = 1.0,
    pad_to: Annotated[
        PadTo, typer.Option(help="Longest of the batch, or of all sets.")
    ] = PadTo.batch,
    max_seconds: Annotated[
        float, typer.Option(min=0, help="Skip longer training utterances.")
    ] = 30.0,
    freq_mask: Annotated[int, typer.Option(min=0, help="Widest mask, mel bands.")] = 15,
    time_mask: Annotated[int, typer.Option(min=0, help="Longest mask, mel frames.")] = 35,
    freq_masks: Annotated[int, typer.Option(min=0, help="Frequency masks an utterance.")] = 1,
    time_masks: Annotated[int, typer.Option(min=0, help="Time masks an utterance.")] = 1,
    vocal_tract: Annotated[
        float, typer.Option(min=0, max=0.3, help="Move formants by up to this fraction.")
    ] = 0.0,
    speed: Annotated[
        float, typer.Option(min=0, max=0.5, help="Change speed by up to this fraction.")
    ] = 0.0,
    reverb: Annotated[float, typer.Option(min=0, max=1, help="Probability of a room.")] = 0.0,
    noise: Annotated[float, typer.Option(min=0, max=1, help="Probability of noise.")] = 0.0,
    band_limit: Annotated[
        float, typer.Option(min=0, max=1, help="Probability of a telephone channel.")
    ] = 0.0,
    volume: Annotated[
        float, typer.Option(min=0, max=1, help="Probability of a level change, -20 to +6 dB.")
    ] = 0.0,
    silence: Annotated[
        float, typer.Option(min=0, max=1, help="Probability of digital silence around it.")
    ] = 0.0,
    non_speech: Annotated[
        float,
        typer.Option(min=0, max=1, help="Part of the utterances replaced by sounds without words."),
    ] = 0.0,
    chunked: Annotated[
        float,
        typer.Option(
            min=0,
            max=1,
            help="Part of the batches computed as on a stream, so that the model holds its "
            "accuracy there.",
        ),
    ] = 0.0,
    chunk_ms: Annotated[
        tuple[float, float], typer.Option(help="Their shortest and longest chunk.")
    ] = ChunkedTraining.chunk_ms,
    lookahead_ms: Annotated[
        tuple[float, float], typer.Option(help="Their shortest and longest look-ahead.")
    ] = ChunkedTraining.lookahead_ms,
    consistency: Annotated[
        float,
        typer.Option(
            min=0,
            help="Compute everything twice, masked differently, and weigh their disagreement so "
            "(0.2); for many passes over little data.",
        ),
    ] = 0.0,
    lexicon: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(
            help="Pronunciations of all words (asr-train lexicon), for a model with a phoneme "
            "head: --set phonemes=39."
        ),
    ] = None,
    letter_weight: Annotated[
        float, typer.Option(min=0, help="Of the letters' loss beside the phonemes'.")
    ] = ObjectiveConfig.letter_weight,
    lf_mmi_from: Annotated[
        float,
        typer.Option(
            min=0, max=1, help="Part of the training after which the phonemes' loss is LF-MMI."
        ),
    ] = 1.0,
    lf_mmi_ctc: Annotated[
        float, typer.Option(min=0, help="Weight of plain CTC beside LF-MMI.")
    ] = ObjectiveConfig.lf_mmi_ctc,
    minutes: Annotated[
        Optional[float],  # noqa: UP045
        typer.Option(min=0, help="Train so long; --epochs is the most then."),
    ] = None,
    round_weights: Annotated[
        WeightRounding,
        typer.Option(help="Train the weights as a small file will hold them, rounded."),
    ] = WeightRounding.none,
    seed: int = 1,
    precision: Precision = Precision.auto,
    device: Device = Device.auto,
    workers: Annotated[int, typer.Option(min=0, help="Loader processes.")] = 1,
    audio_cache: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(help="Decode the audio once into this folder (115 MB an hour)."),
    ] = None,
    audio_on_device: Annotated[
        bool,
        typer.Option(
            "--audio-on-device",
            help="Keep that audio in the GPU's memory, and augment it there; needs --audio-cache.",
        ),
    ] = False,
    compile_network: Annotated[
        bool,
        typer.Option("--compile", help="Fuse elementwise work; takes a minute, pays on a GPU."),
    ] = False,
    checkpoint_every: Annotated[int, typer.Option(min=1, help="Steps between saves.")] = 200,
    keep: Annotated[
        int, typer.Option(min=0, help="Keep the best epochs, by dev words, for averaging.")
    ] = 0,
    resume: Annotated[bool, typer.Option("--resume", help="Go on where --out stopped.")] = False,
    init: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(help="Start from the weights of this checkpoint."),
    ] = None,
) -> None:
    """Train a model; Ctrl-C leaves a checkpoint that --resume goes on from."""
    model_config = preset(preset_name).override(set_fields or [])
    train = _training_rows(
        train_manifest or [], librispeech, subset or ["train-clean-100"], download
    )
    dev = [row for path in dev_manifest or [] for row in read_manifest(path)]
    if dev_subset is not None:
        dev += _librispeech(librispeech, dev_subset, download)
    config = TrainingConfig(
        out=out,
        epochs=epochs,
        batch_seconds=batch_seconds,
        learning_rate=learning_rate,
        warmup=warmup,
        weight_decay=weight_decay,
        max_grad_norm=max_grad_norm,
        pad_to=pad_to,
        masking=MaskingConfig(freq_mask, time_mask, freq_masks, time_masks, vocal_tract),
        augmentation=AugmentationConfig(
            speed=speed,
            reverb=reverb,
            noise=noise,
            band_limit=band_limit,
            volume=volume,
            silence=silence,
            non_speech=non_speech,
        ),
        chunked=ChunkedTraining(chunked, chunk_ms, lookahead_ms),
        objective=ObjectiveConfig(consistency, letter_weight, lf_mmi_ctc),
        lexicon=lexicon,
        lf_mmi_from=lf_mmi_from,
        minutes=minutes,
        round_weights=round_weights,
        seed=seed,
        precision=precision,
        device=device,
        workers=workers,
        audio_cache=audio_cache,
        audio_on_device=audio_on_device,
        compile_network=compile_network,
        checkpoint_every=checkpoint_every,
        keep=keep,
    )
    kept = select_and_report(train, model_config, "train", max_seconds)
    kept_dev = select_and_report(dev, model_config, "dev") if dev else []
    Trainer(model_config, config, kept, kept_dev).fit(resume=resume, init=init)


@app.command()
def evaluate(
    checkpoint: Annotated[Path, typer.Argument(help="Checkpoint folder.")],
    manifest: Annotated[list[Path], typer.Option(help="Manifest to score; repeatable.")],
    worst: Annotated[int, typer.Option(min=0, help="How many bad utterances to show.")] = 10,
    gain_db: Annotated[float, typer.Option(help="Change the level of every recording.")] = 0.0,
    snr_db: Annotated[
        Optional[float],  # noqa: UP045
        typer.Option(help="Add white noise at this signal-to-noise ratio."),
    ] = None,
    chunk_ms: Annotated[
        Optional[float],  # noqa: UP045
        typer.Option(help="Score as a stream in such chunks; whole recordings if not given."),
    ] = None,
    lookahead_ms: Annotated[
        float, typer.Option(help="Look-ahead of the stream, with --chunk-ms.")
    ] = 320.0,
    json_out: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--json", help="Also write figures and all transcripts here."),
    ] = None,
) -> None:
    """Word and character error rate of a checkpoint (greedy), and its worst utterances."""
    from asr_train.data.audio_store import FileStore
    from asr_train.evaluation.evaluate import Condition
    from asr_train.evaluation.evaluate import evaluate as score
    from asr_train.evaluation.metrics import word_errors

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
    ranked = sorted(
        zip(rows, result.texts, strict=True),
        key=lambda pair: -word_errors(pair[0].text, pair[1]) / len(pair[0].text.split()),
    )
    for row, text in ranked[:worst]:
        typer.echo(f"\n{row.audio.name}\n  said  {row.text}\n  heard {text}")
    if json_out is not None:
        document = {
            "checkpoint": str(checkpoint),
            "word_error_rate": rates.word_error_rate,
            "character_error_rate": rates.character_error_rate,
            "words": rates.words,
            "utterances": [
                {"audio_filepath": str(row.audio), "text": row.text, "hypothesis": text}
                for row, text in zip(rows, result.texts, strict=True)
            ],
        }
        with replacing(json_out) as partial:
            partial.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


@app.command()
def compact(
    checkpoint: Annotated[Path, typer.Argument(help="Checkpoint folder.")],
    out: Annotated[Path, typer.Argument(help="Folder to write.")],
    round_weights: Annotated[
        WeightRounding, typer.Option(help="What to round to: fp16 or int8.")
    ] = WeightRounding.fp16,
) -> None:
    """Round a checkpoint's weights for shipping: half the size, as is what is exported from it.

    With int8 its exports are a quarter of the size, and in every precision the same model.
    """
    if checkpoint_exists(out):
        raise OutputError(f"{out} already holds a checkpoint; give another folder")
    compact_checkpoint(checkpoint, out, round_weights)
    typer.echo(f"wrote {out}; check its error rates with: asr-train evaluate {out}")


@app.command()
def average(
    checkpoints: Annotated[list[Path], typer.Argument(help="Checkpoint folders of one run.")],
    out: Annotated[Path, typer.Option(help="Folder to write.")],
) -> None:
    """Average the weights of checkpoints, such as the epoch-* folders that --keep leaves."""
    from asr_train.checkpoints.averaging import average_checkpoints

    if checkpoint_exists(out):
        raise OutputError(f"{out} already holds a checkpoint; give another folder")
    model, description = average_checkpoints(checkpoints)
    save_checkpoint(out, model, description)
    typer.echo(f"wrote {out}; score it with: asr-train evaluate {out}")


@app.command()
def synthesize(
    text: Annotated[Path, typer.Argument(help="Sentences, one a line; plain or .xz.")],
    out: Annotated[Path, typer.Option(help="Folder for the audio and the manifest.")],
    hours: Annotated[float, typer.Option(min=0, help="How much speech.")],
    engine: Annotated[Engine, typer.Option(help="Which engine speaks.")] = Engine.hibari,
    max_words: Annotated[int, typer.Option(min=1, help="Skip longer lines.")] = 30,
    seed: int = 1,
) -> None:
    """Make training data with a text-to-speech engine; go on where an earlier call stopped."""
    from asr_train.synthesis.corpus import CorpusConfig, make_corpus, read_sentences

    config = CorpusConfig(hours=hours, seed=seed, max_words=max_words)
    sentences = read_sentences(text, config)
    manifest = make_corpus(sentences, load_engine(engine), engine.value, out, config)
    typer.echo(f"wrote {manifest}")


def _training_rows(
    manifests: list[Path], librispeech: Path | None, subsets: list[str], download: bool
) -> list[Utterance]:
    rows = [row for path in manifests for row in read_manifest(path)]
    if librispeech is not None:
        rows += [row for name in subsets for row in _librispeech(librispeech, name, download)]
    if not rows:
        raise DataError("no training data: give --train-manifest or --librispeech")
    return rows


def _librispeech(root: Path | None, subset: str, download: bool) -> list[Utterance]:
    from asr_train.data.librispeech import read_librispeech

    if root is None:
        raise DataError("--dev-subset needs --librispeech")
    return read_librispeech(root, subset, download=download)


app.command()(language_model)
app.command()(tune_decoder)
app.command()(lexicon)
app.command()(g2p)
app.command()(punctuation)
app.command()(punctuation_evaluate)


def main() -> None:
    """Entry point."""
    run_command(app, "asr-train")
