"""``asr-train fit``: recipe, options and ``--set`` as one configuration; help without torch."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from asr_train import cli
from asr_train.augmentation.config import AugmentationConfig, MaskingConfig
from asr_train.data.batch_plan import PadTo
from asr_train.model.config import ModelConfig, WeightQuantization, preset
from asr_train.training.config import (
    ChunkedConfig,
    Device,
    LossConfig,
    MixedPrecision,
    TrainingConfig,
)

OUT = Path("run")
ALL_AUGMENTATION = AugmentationConfig(0.1, 0.2, 0.3, 0.05, 0.5, 0.1, 0.03)
SIXTH_RUN = TrainingConfig(
    OUT,
    epochs=60,
    batch_seconds=1400.0,
    learning_rate=2e-3,
    warmup=0.06,
    max_seconds=20.0,
    lexicon=Path("words.txt"),
    lf_mmi_from=0.2,
    minutes=11.0,
    device=Device.cuda,
    workers=0,
    audio_cache=Path("cache"),
    audio_on_device=True,
    augmentation=ALL_AUGMENTATION,
    masking=MaskingConfig(freq_masks=2, time_masks=4, vocal_tract=0.1),
    chunked=ChunkedConfig(0.4, (400.0, 1600.0), (180.0, 600.0)),
    loss=LossConfig(consistency=0.2),
)

#: Command lines of the README, the recipes and their documentation before there were recipes in
#: TOML, and what they meant.
OLD_COMMAND_LINES = [
    ("", ModelConfig(), TrainingConfig(OUT)),
    (
        "--device cuda --audio-cache cache --audio-on-device",
        ModelConfig(),
        TrainingConfig(OUT, device=Device.cuda, audio_cache=Path("cache"), audio_on_device=True),
    ),
    (
        "--set phonemes=39 --lexicon lexicon.txt --lf-mmi-from 0.2",
        ModelConfig(phonemes=39),
        TrainingConfig(OUT, lexicon=Path("lexicon.txt"), lf_mmi_from=0.2),
    ),
    (
        "--preset edge --seed 1 --batch-seconds 160 --max-seconds 20 --audio-cache cache "
        "--workers 0 --set dropout=0.0 --epochs 8 --learning-rate 2e-3",
        ModelConfig(dropout=0.0),
        TrainingConfig(
            OUT,
            epochs=8,
            learning_rate=2e-3,
            max_seconds=20.0,
            workers=0,
            audio_cache=Path("cache"),
        ),
    ),
    (
        "--preset edge --seed 1 --batch-seconds 160 --max-seconds 20 --audio-cache cache "
        "--workers 0 --set dropout=0.1 --set phonemes=39 --lexicon words.txt --speed 0.1 "
        "--reverb 0.2 --noise 0.3 --band-limit 0.05 --volume 0.5 --silence 0.1 --non-speech 0.03 "
        "--vocal-tract 0.1 --freq-masks 2 --time-masks 4 --consistency 0.2 --chunked 0.4 "
        "--chunk-ms 400 1600 --lookahead-ms 180 600 --lf-mmi-from 0.2 --device cuda "
        "--audio-on-device --batch-seconds 1400 --epochs 60 --minutes 11 --learning-rate 2e-3 "
        "--warmup 0.06",
        ModelConfig(dropout=0.1, phonemes=39),
        SIXTH_RUN,
    ),
    (
        "--preset base --set gru_layers=2 --weight-decay 0 --max-grad-norm 5 --pad-to max "
        "--freq-mask 3 --time-mask 5 --letter-weight 0.4 --lf-mmi-ctc 0.1 --round-weights int8 "
        "--seed 7 --precision bf16 --device cpu --workers 3 --compile --checkpoint-every 50 "
        "--keep 2",
        replace(preset("base"), gru_layers=2),
        TrainingConfig(
            OUT,
            weight_decay=0.0,
            max_grad_norm=5.0,
            pad_to=PadTo.max,
            masking=MaskingConfig(freq_mask=3, time_mask=5),
            loss=LossConfig(letter_weight=0.4, lf_mmi_ctc=0.1),
            quantize_weights=WeightQuantization.int8,
            seed=7,
            precision=MixedPrecision.bf16,
            device=Device.cpu,
            workers=3,
            compile_network=True,
            checkpoint_every=50,
            keep=2,
        ),
    ),
]


@pytest.fixture
def configured(
    monkeypatch: pytest.MonkeyPatch,
    run_command_line: Callable[..., tuple[int, str, str]],
    write_manifest: Callable[..., Path],
) -> Callable[..., tuple[ModelConfig, TrainingConfig]]:
    """Run ``asr-train fit`` without training: the configuration that the trainer is given."""
    manifest = write_manifest(["cab"])
    given: list[Any] = []

    class Trainer:
        def __init__(self, model: ModelConfig, config: TrainingConfig, *_: object) -> None:
            given[:] = model, config

        def fit(self, **_: object) -> None: ...

    monkeypatch.setattr("asr_train.training.trainer.Trainer", Trainer)

    def run(*arguments: object) -> tuple[ModelConfig, TrainingConfig]:
        command = ("fit", "--out", OUT, "--train-manifest", manifest)
        code, _, stderr = run_command_line(cli.main, *command, *arguments)
        assert code == 0, stderr
        return given[0], given[1]

    return run


@pytest.mark.parametrize(("line", "model", "training"), OLD_COMMAND_LINES)
def test_old_command_lines_mean_what_they_did(
    configured: Callable[..., tuple[ModelConfig, TrainingConfig]],
    line: str,
    model: ModelConfig,
    training: TrainingConfig,
) -> None:
    assert configured(*line.split()) == (model, training)


def test_a_file_then_options_then_set(
    configured: Callable[..., tuple[ModelConfig, TrainingConfig]], tmp_path: Path
) -> None:
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(
        '[model]\npreset = "base"\ngru_layers = 2\n[training]\nepochs = 4\nwarmup = 0\n'
        "[augmentation]\nnoise = 0.3\nspeed = 0.1\n[chunked]\nprobability = 1\n"
        "chunk_ms = [300, 400]"
    )
    model, training = configured(
        *("--config", recipe, "--epochs", 5, "--set", "noise=0.5", "--set", "training.keep=3"),
        *("--set", "chunked.lookahead_ms=[0, 60]"),
    )
    assert model == replace(preset("base"), gru_layers=2)
    assert training == TrainingConfig(
        OUT,
        epochs=5,
        warmup=0.0,
        keep=3,
        augmentation=AugmentationConfig(noise=0.5, speed=0.1),
        chunked=ChunkedConfig(1.0, (300.0, 400.0), (0.0, 60.0)),
    )


def test_settings_that_do_not_fit_together(
    run_command_line: Callable[..., tuple[int, str, str]],
) -> None:
    for arguments, message in (
        (("--noise", 0.2, "--set", "noise=0.3"), "--noise and --set noise=0.3 contradict"),
        (("--audio-on-device",), "--audio-on-device needs --audio-cache"),
        (("--set", "lf_mmi_from=0.5"), "--lf-mmi-from needs --lexicon"),
        (("--chunk-ms", 300, 200), "give the shortest, then the longest"),
        (("--set", "hop_length=500"), "longer than the window"),
    ):
        code, _, stderr = run_command_line(cli.main, "fit", "--out", OUT, *arguments)
        assert code == 1
        assert message in stderr
        assert len(stderr.strip().splitlines()) == 1


@pytest.mark.parametrize("arguments", [["--help"], ["fit", "--help"], ["tune-decoder", "--help"]])
def test_help_needs_no_torch(arguments: list[str]) -> None:
    program = (
        "import sys\nfrom asr_train.cli import app\n"
        f"try:\n    app({arguments!r})\nexcept SystemExit as stop:\n    assert not stop.code\n"
        "assert 'torch' not in sys.modules and 'accelerate' not in sys.modules"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert "Usage: " in result.stdout
