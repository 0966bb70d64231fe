"""Training learns, resumes exactly, stops cleanly, and is the same on two processes."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import safetensors.torch
import torch

from asr_train.augmentation import batched
from asr_train.augmentation.config import AugmentationConfig, MaskingConfig
from asr_train.checkpoints.checkpoint import WEIGHTS, load_checkpoint
from asr_train.data.manifest import Utterance, read_manifest
from asr_train.errors import CheckpointError, OutputError, TrainingError
from asr_train.model.config import ModelConfig
from asr_train.training.config import (
    ChunkedConfig,
    Device,
    LossConfig,
    MixedPrecision,
    TrainingConfig,
)
from asr_train.training.interruption import Interrupted
from asr_train.training.metrics_log import EPOCHS_CSV, PLOT, STEPS_CSV, read_csv
from asr_train.training.recipe import RUN_RECIPE, build, read_recipe
from asr_train.training.trainer import Trainer

WORDS = ("cab", "bead", "face", "deaf", "cafe", "fade", "bad", "dab")
TEXTS = [f"{first} {second}" for first in WORDS for second in WORDS[:3]]


@pytest.fixture
def rows(write_manifest: Callable[..., Path]) -> list[Utterance]:
    return read_manifest(write_manifest(TEXTS))


def _config(out: Path, **changes: object) -> TrainingConfig:
    values: dict[str, object] = {
        "epochs": 3,
        "batch_seconds": 6.0,
        "learning_rate": 5e-3,
        "precision": MixedPrecision.fp32,
        "device": Device.cpu,
        "workers": 0,
        "masking": MaskingConfig(freq_mask=3, time_mask=5),
        **changes,
    }
    return TrainingConfig(out=out, **values)  # type: ignore[arg-type]


def test_it_learns_to_read_tones(learned_run: Path) -> None:
    best = load_checkpoint(learned_run / "best")
    assert best.progress["word_error_rate"] < 0.2
    epochs = read_csv(learned_run / EPOCHS_CSV)
    assert len(epochs) == 6
    rates = [float(row["word_error_rate"]) for row in epochs]
    assert best.progress["word_error_rate"] == min(rates)
    assert float(epochs[-1]["dev_loss"]) < 0.3 * float(epochs[0]["dev_loss"])
    assert (learned_run / PLOT).read_bytes().startswith(b"\x89PNG")
    assert list((learned_run / "tensorboard").iterdir())


def test_it_learns_from_chunks_as_well(
    tiny_config: ModelConfig, rows: list[Utterance], tmp_path: Path
) -> None:
    losses = {}
    for probability, epochs in ((0.0, 1), (1.0, 6)):
        out = tmp_path / f"run-{probability}"
        chunked = ChunkedConfig(probability, chunk_ms=(300, 500), lookahead_ms=(60, 120))
        Trainer(tiny_config, _config(out, epochs=epochs, chunked=chunked), rows * 3).fit()
        losses[probability] = [float(row["loss"]) for row in read_csv(out / STEPS_CSV)]
    assert losses[1.0][-1] < 0.8 * losses[1.0][0]
    assert losses[1.0][0] != losses[0.0][0]


@pytest.mark.parametrize("on_device", [False, True])
def test_a_stopped_run_resumes_as_if_it_never_stopped(
    tiny_config: ModelConfig,
    rows: list[Utterance],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    on_device: bool,
) -> None:
    changes: dict[str, object] = {}
    if on_device:
        monkeypatch.setattr(batched, "SOUNDS", 4)
        changes = {
            "audio_on_device": True,
            "audio_cache": tmp_path / "cache",
            "augmentation": AugmentationConfig(speed=0.05, noise=0.3, volume=0.3, non_speech=0.1),
            "loss": LossConfig(consistency=0.2),
        }
    dropping = ModelConfig(**{**tiny_config.to_dict(), "dropout": 0.2})
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    Trainer(dropping, _config(whole, **changes), rows, rows[:4]).fit()
    steps = len(read_csv(whole / STEPS_CSV))
    assert steps > 12

    # Stop in the middle of an epoch, twice.
    for stop_at in (steps // 3 - 1, steps // 3 + 3):
        trainer = Trainer(dropping, _config(parts, **changes), rows, rows[:4])
        resume = (parts / "last").exists()
        first = load_checkpoint(parts / "last").progress["step"] if resume else 0
        trainer.countdown = iter(range(first + 1, 10_000))  # type: ignore[attr-defined]
        with monkeypatch.context() as patch:
            patch.setattr(
                Trainer, "_any_process", lambda self, flag, at=stop_at: next(self.countdown) >= at
            )
            with pytest.raises(Interrupted, match=f"after step {stop_at} of {steps}"):
                trainer.fit(resume=resume)
    Trainer(dropping, _config(parts, **changes), rows, rows[:4]).fit(resume=True)

    def curve(folder: Path, name: str, drop: str) -> list[dict[str, str]]:
        rows = read_csv(folder / name)
        return [{key: value for key, value in row.items() if key != drop} for row in rows]

    speed = "audio_seconds_per_second"
    assert curve(parts, STEPS_CSV, speed) == curve(whole, STEPS_CSV, speed)
    assert curve(parts, EPOCHS_CSV, "") == curve(whole, EPOCHS_CSV, "")
    wanted = safetensors.torch.load_file(whole / "last" / WEIGHTS)
    for name, value in safetensors.torch.load_file(parts / "last" / WEIGHTS).items():
        assert torch.equal(value, wanted[name]), name


def test_rows_logged_after_the_checkpoint_are_dropped_on_resume(
    tiny_config: ModelConfig,
    rows: list[Utterance],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A run killed outright has logged steps that its last checkpoint does not know."""
    out = tmp_path / "run"
    Trainer(tiny_config, _config(out, epochs=1), rows).fit()
    logged = (out / STEPS_CSV).read_text()
    with (out / STEPS_CSV).open("a") as file:
        file.write("9999,9,1.0,1.0,1.0,1.0\n")
    Trainer(tiny_config, _config(out, epochs=1, keep=3), rows).fit(resume=True)
    assert (out / STEPS_CSV).read_text() == logged
    # What the resumed run changes is said, and kept.
    assert f"{out}: training.keep is 3 instead of 0" in capsys.readouterr().err
    assert "\nkeep = 3\n" in (out / RUN_RECIPE).read_text()


def test_two_processes_take_the_steps_of_one(
    tiny_config: ModelConfig, rows: list[Utterance], tmp_path: Path
) -> None:
    config = {"epochs": 2, "masking": MaskingConfig(0, 0), "learning_rate": 1e-3}
    # One process here, two through torchrun, on the same data.
    Trainer(tiny_config, _config(tmp_path / "one", **config), rows).fit()
    script = tmp_path / "two.py"
    script.write_text(
        f"""
import contextlib, time
from pathlib import Path
from asr_train.model.config import ModelConfig
from asr_train.data.manifest import read_manifest
from asr_train.augmentation.config import MaskingConfig
from asr_train.training.trainer import Trainer
from asr_train.training.config import Device, MixedPrecision, TrainingConfig

config = TrainingConfig(
    out=Path({str(tmp_path / "two")!r}), epochs=2, batch_seconds=6.0, learning_rate=1e-3,
    precision=MixedPrecision.fp32, device=Device.cpu, workers=0, masking=MaskingConfig(0, 0),
)
rows = read_manifest(Path({str(tmp_path / "train.jsonl")!r}))
trainer = Trainer(ModelConfig(**{tiny_config.to_dict()!r}), config, rows)
assert trainer.processes == 2
trainer.fit()

# Threads of the group that live on make about every thirtieth process abort on its way out. One
# that has ended may be listed for a moment more, or no more when its name is read.
def of_the_group():
    for name in Path("/proc/self/task").glob("*/comm"):
        with contextlib.suppress(OSError):
            if "gloo" in name.read_text():
                yield name

deadline = time.monotonic() + 10
while any(of_the_group()):
    assert time.monotonic() < deadline, "threads of the process group are left"
    time.sleep(0.01)
"""
    )
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    result = subprocess.run(
        [*launcher, "--nproc-per-node", "2", str(script)],
        capture_output=True,
        text=True,
        timeout=180,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert result.returncode == 0, result.stderr[-2000:]
    one, two = (read_csv(tmp_path / name / STEPS_CSV) for name in ("one", "two"))
    assert len(one) == len(two) > 5
    for single, double in zip(one, two, strict=True):
        for key in ("loss", "grad_norm"):
            assert float(double[key]) == pytest.approx(float(single[key]), rel=1e-3), key
    wanted = safetensors.torch.load_file(tmp_path / "one" / "last" / WEIGHTS)
    for name, value in safetensors.torch.load_file(tmp_path / "two" / "last" / WEIGHTS).items():
        torch.testing.assert_close(value, wanted[name], atol=2e-4, rtol=1e-2)


def test_a_run_is_never_overwritten_or_mixed_up(
    tiny_config: ModelConfig, rows: list[Utterance], tmp_path: Path
) -> None:
    out = tmp_path / "run"
    with pytest.raises(CheckpointError, match="nothing to resume"):
        Trainer(tiny_config, _config(out), rows).fit(resume=True)
    Trainer(tiny_config, _config(out, epochs=1), rows).fit()
    assert build(read_recipe(out / RUN_RECIPE), out) == (tiny_config, _config(out, epochs=1))
    with pytest.raises(OutputError, match="already holds a run"):
        Trainer(tiny_config, _config(out), rows).fit()
    with pytest.raises(CheckpointError, match="other data"):
        Trainer(tiny_config, _config(out), rows[1:]).fit(resume=True)
    wider = ModelConfig(**{**tiny_config.to_dict(), "gru_hidden": 32})
    with pytest.raises(CheckpointError, match="another model configuration"):
        Trainer(wider, _config(out), rows).fit(resume=True)


def test_an_unwritable_folder_is_found_before_training(
    tiny_config: ModelConfig, rows: list[Utterance], tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot write to"):
        Trainer(tiny_config, _config(tmp_path / "file" / "run"), rows).fit()


@pytest.mark.filterwarnings("ignore:Detected call of `lr_scheduler.step")  # as steps are skipped
def test_divergence_is_reported(
    tiny_config: ModelConfig,
    rows: list[Utterance],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(torch.nn.utils, "clip_grad_norm_", lambda *_: torch.tensor(float("nan")))
    with pytest.raises(TrainingError, match="diverged; start again with a lower"):
        Trainer(tiny_config, _config(tmp_path / "run", epochs=9), rows).fit()


def test_pad_to_max_trains(tiny_config: ModelConfig, rows: list[Utterance], tmp_path: Path) -> None:
    from asr_train.data.batch_plan import PadTo

    config = _config(tmp_path / "run", epochs=1, pad_to=PadTo.max)
    Trainer(tiny_config, config, rows).fit()
    assert load_checkpoint(tmp_path / "run" / "best").progress["epoch"] == 1


def test_init_starts_from_given_weights(
    tiny_config: ModelConfig, rows: list[Utterance], tiny_checkpoint: Path, tmp_path: Path
) -> None:
    config = _config(tmp_path / "run", epochs=1, learning_rate=1e-9, weight_decay=0.0)
    wider = ModelConfig(**{**tiny_config.to_dict(), "gru_hidden": 32})
    with pytest.raises(CheckpointError, match="another model configuration"):
        Trainer(wider, config, rows).fit(init=tiny_checkpoint)
    dropping = ModelConfig(**{**tiny_config.to_dict(), "dropout": 0.3})
    Trainer(dropping, config, rows).fit(init=tiny_checkpoint)
    found = load_checkpoint(tmp_path / "run" / "last").model.state_dict()
    for name, value in load_checkpoint(tiny_checkpoint).model.state_dict().items():
        torch.testing.assert_close(found[name], value, atol=1e-6, rtol=1e-5)
