"""The shipped model on real speech: three forms, one text, the error rate that is stated."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from asr_export import Precision, read_card
from asr_export.formats.torchscript import to_torchscript
from asr_export.loading.backends import TorchBackend
from asr_export.quantization.weights import round_weights
from asr_export.verification.transcripts import transcribe_recordings
from asr_runtime import Recognizer
from asr_runtime.decoding.greedy import greedy_text
from asr_runtime.recognizer import DEFAULT_MODEL
from asr_train.checkpoints.checkpoint import Checkpoint, load_checkpoint
from asr_train.data.audio_store import FileStore
from asr_train.data.manifest import Utterance, read_manifest
from asr_train.evaluation.metrics import error_rates
from asr_train.model.vocabulary import BLANK_ID, VOCABULARY

CHECKPOINT = Path(__file__).parents[2] / "train" / "checkpoints" / "edge"


@pytest.fixture(scope="module")
def checkpoint() -> Checkpoint:
    return load_checkpoint(CHECKPOINT)


@pytest.fixture(scope="module")
def dev(shared_data: Path) -> list[Utterance]:
    return read_manifest(shared_data / "dev.jsonl")


def test_default_model_comes_from_the_checkpoint_in_the_repository(
    checkpoint: Checkpoint,
) -> None:
    card = read_card(DEFAULT_MODEL)
    assert card.checkpoint_sha256 == checkpoint.sha256
    assert card.architecture == {"name": "ResCNN-BiGRU", **checkpoint.model.config.to_dict()}
    assert card.precision == "int8"
    assert DEFAULT_MODEL.stat().st_size < 5e6


def test_the_shipped_weights_are_the_same_in_every_precision(checkpoint: Checkpoint) -> None:
    """They lie on the int8 grid, so no file of them is an approximation."""
    weights = checkpoint.model.state_dict()
    for precision in Precision:
        rounded = round_weights(checkpoint.model, precision).state_dict()
        assert all(torch.equal(rounded[name], weights[name]) for name in weights), precision


def test_three_forms_give_the_same_text_on_every_dev_clip(
    checkpoint: Checkpoint, dev: list[Utterance]
) -> None:
    card = read_card(DEFAULT_MODEL)
    rounded = replace(checkpoint, model=round_weights(checkpoint.model, Precision(card.precision)))
    store = FileStore(dev)
    audio = [np.asarray(store[index]) for index in range(len(dev))]
    recognizer = Recognizer.load(device="cpu", decoder="greedy")
    onnx = [greedy_text(values, VOCABULARY, BLANK_ID) for values in recognizer.log_probs(audio)]
    # In batches: a form must also be right on padded recordings.
    readings = transcribe_recordings(
        {
            "PyTorch": TorchBackend(rounded.model),
            "TorchScript": TorchBackend(to_torchscript(rounded.model)),
        },
        [len(samples) / 16_000 for samples in audio],
        audio,
    )
    assert {name: list(reading.texts) for name, reading in readings.items()} == {
        "PyTorch": onnx,
        "TorchScript": onnx,
    }

    # The card states the checkpoint's; rounding its weights may cost 0.3 points.
    rates = error_rates([row.text for row in dev], onnx)
    stated = (card.word_error_rate or {})["dev_greedy"]
    assert rates.word_error_rate == pytest.approx(stated, abs=0.003)


def test_a_dev_clip_is_recognisable_english(dev: list[Utterance]) -> None:
    """From the file through the runtime alone, the way a device does it, every word in place."""
    recognizer = Recognizer.load(device="cpu")
    clips = dev[::8]
    heard = [recognizer.transcribe(row.audio).text for row in clips]
    rates = error_rates([row.text for row in clips], heard)
    assert rates.word_error_rate < 0.33
    assert rates.character_error_rate < 0.2


def test_fit_starts_from_real_speech(shared_data: Path, tmp_path: Path) -> None:
    """A few steps of the default recipe on real clips move the loss."""
    from asr_train.data.filtering import select
    from asr_train.model.config import preset
    from asr_train.training.config import Device, MixedPrecision, TrainingConfig
    from asr_train.training.metrics_log import STEPS_CSV, read_csv
    from asr_train.training.trainer import Trainer

    lines = (shared_data / "train.jsonl").read_text().splitlines()[::400]
    rows = []
    for line in lines:
        row = json.loads(line)
        row["audio_filepath"] = str(shared_data / row["audio_filepath"])
        rows.append(json.dumps(row))
    manifest = tmp_path / "part.jsonl"
    manifest.write_text("\n".join(rows) + "\n")
    config = replace(preset("edge"), gru_hidden=32, gru_layers=1, rnn_dim=32)
    kept = select(read_manifest(manifest), config, 20.0).kept
    training = TrainingConfig(
        out=tmp_path / "run",
        epochs=6,
        batch_seconds=40.0,
        device=Device.cpu,
        precision=MixedPrecision.fp32,
        workers=0,
    )
    Trainer(config, training, kept).fit()
    losses = [float(row["loss"]) for row in read_csv(tmp_path / "run" / STEPS_CSV)]
    epoch = len(losses) // 6
    assert np.mean(losses[-epoch:]) < 0.75 * np.mean(losses[:epoch])
    assert torch.isfinite(torch.tensor(losses)).all()
