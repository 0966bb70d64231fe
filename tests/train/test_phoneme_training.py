"""Phonemes beside letters: targets, LF-MMI in a run, a run that ends by the clock."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from asr_train.augmentation.config import MaskingConfig
from asr_train.checkpoints.checkpoint import load_checkpoint, save_checkpoint
from asr_train.data.batching import Batch
from asr_train.data.manifest import Utterance, read_manifest
from asr_train.data.targets import PhonemeTargets
from asr_train.errors import ConfigError, DataError
from asr_train.model.config import ModelConfig
from asr_train.model.network import ResCNNBiGRU
from asr_train.pronunciation.lexicon import write_lexicon
from asr_train.training import rate_schedule
from asr_train.training.config import Device, LossConfig, MixedPrecision, TrainingConfig
from asr_train.training.loss import TrainingLoss
from asr_train.training.metrics_log import STEPS_CSV, read_csv
from asr_train.training.rate_schedule import ClockSchedule, one_cycle
from asr_train.training.trainer import Trainer

LEXICON = {"cab": (b"\x13\x01\x06", b"\x13\x02\x06"), "bad": (b"\x06\x01\x08",)}


@pytest.fixture
def rows(write_manifest: Callable[..., Path]) -> list[Utterance]:
    return read_manifest(write_manifest(["cab bad", "bad", "cab cab", "bad cab"] * 3))


@pytest.fixture
def lexicon(tmp_path: Path) -> Path:
    write_lexicon(tmp_path / "lexicon.txt", LEXICON)
    return tmp_path / "lexicon.txt"


@pytest.fixture
def sounding(tiny_config: ModelConfig) -> ModelConfig:
    return replace(tiny_config, phonemes=39)


def _config(out: Path, lexicon: Path | None, **changes: object) -> TrainingConfig:
    values: dict[str, object] = {
        "epochs": 6,
        "batch_seconds": 6.0,
        "learning_rate": 1e-2,
        "precision": MixedPrecision.fp32,
        "device": Device.cpu,
        "workers": 0,
        "masking": MaskingConfig(freq_mask=3, time_mask=2, vocal_tract=0.1),
        "lexicon": lexicon,
        **changes,
    }
    return TrainingConfig(out=out, **values)  # type: ignore[arg-type]


def test_targets_are_first_pronunciations_and_none_where_nobody_speaks(
    rows: list[Utterance],
) -> None:
    targets = PhonemeTargets(rows, LEXICON)
    assert targets.sequences[0] == b"\x13\x01\x06\x06\x01\x08"
    batch = Batch(
        samples=torch.zeros(3, 9),
        lengths=torch.full((3,), 9),
        targets=torch.zeros(8),
        target_lengths=torch.tensor([3, 0, 5]),
        indices=torch.tensor([1, 0, 1]),
    )
    phonemes, lengths = targets.of(batch)
    assert phonemes.tolist() == [6, 1, 8, 6, 1, 8]
    assert lengths.tolist() == [3, 0, 3]


def test_a_word_without_pronunciation_is_named(rows: list[Utterance]) -> None:
    with pytest.raises(
        DataError, match=r"train.jsonl:1: the lexicon has no pronunciation of 'cab'"
    ):
        PhonemeTargets(rows, {"bad": LEXICON["bad"]})


def test_lf_mmi_lowers_its_loss_and_keeps_the_letters_learning(
    sounding: ModelConfig, rows: list[Utterance], lexicon: Path, tmp_path: Path
) -> None:
    config = _config(
        tmp_path / "run",
        lexicon,
        epochs=10,
        lf_mmi_from=0.3,
        loss=LossConfig(consistency=0.1),
    )
    Trainer(sounding, config, rows).fit()
    losses = [float(row["loss"]) for row in read_csv(tmp_path / "run" / STEPS_CSV)]
    first = round(0.3 * len(losses)) + 1
    assert losses[-1] < losses[first]
    model = load_checkpoint(tmp_path / "run" / "last").model
    assert model.config.phonemes == 39


def test_letters_weigh_as_much_as_is_asked(sounding: ModelConfig, rows: list[Utterance]) -> None:
    torch.manual_seed(1)
    model = ResCNNBiGRU(sounding)
    samples, lengths = torch.randn(1, 16_000), torch.tensor([16_000])
    letters = (torch.tensor([3, 4]), torch.tensor([2]))
    phonemes = (torch.tensor([5, 6, 7]), torch.tensor([3]))
    plain = MaskingConfig(freq_mask=0, time_mask=0)

    def loss(weight: float) -> torch.Tensor:
        objective = TrainingLoss(model, plain, LossConfig(letter_weight=weight)).eval()
        value: torch.Tensor = objective(samples, lengths, *letters, None, phonemes)
        return value

    alone = TrainingLoss(model, plain).eval()(samples, lengths, *letters)
    torch.testing.assert_close(loss(0.7) - loss(0.0), 0.7 * alone)


def test_a_head_is_added_to_a_model_that_has_none(
    tiny_config: ModelConfig,
    sounding: ModelConfig,
    rows: list[Utterance],
    lexicon: Path,
    tmp_path: Path,
) -> None:
    given = ResCNNBiGRU(tiny_config)
    save_checkpoint(tmp_path / "given", given, {})
    config = _config(tmp_path / "run", lexicon, epochs=1, learning_rate=1e-9)
    Trainer(sounding, config, rows).fit(init=tmp_path / "given")
    trained = load_checkpoint(tmp_path / "run" / "last").model
    torch.testing.assert_close(trained.conv.weight, given.conv.weight, atol=1e-6, rtol=0)
    assert trained.phoneme_classifier is not None


@pytest.mark.parametrize("given", [True, False])
def test_a_head_and_a_lexicon_belong_together(
    tiny_config: ModelConfig,
    sounding: ModelConfig,
    rows: list[Utterance],
    lexicon: Path,
    tmp_path: Path,
    given: bool,
) -> None:
    model, path = (tiny_config, lexicon) if given else (sounding, None)
    with pytest.raises(ConfigError, match=r"--lexicon FILE and --set phonemes=39"):
        Trainer(model, _config(tmp_path / "run", path), rows)


def test_lf_mmi_needs_a_lexicon(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--lf-mmi-from needs --lexicon"):
        _config(tmp_path, None, lf_mmi_from=0.5)


def test_the_rate_goes_up_and_down_by_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr(rate_schedule.time, "monotonic", lambda: now)
    optimizer = torch.optim.AdamW([torch.nn.Parameter(torch.zeros(1))], 1.0)
    schedule = ClockSchedule(optimizer, 0.5, 0.1, minutes=10)
    rates = []
    for now in (1000.0, 1060.0, 1330.0, 1600.0, 1700.0):  # noqa: B007 - the clock reads it
        schedule.step()
        rates += schedule.get_last_lr()
    assert rates == pytest.approx([0.02, 0.5, 0.25, 2e-6, 2e-6], rel=1e-3)
    assert schedule.part == 1.0
    resumed = ClockSchedule(optimizer, 0.5, 0.1, minutes=10, elapsed=330.0)
    assert resumed.get_last_lr() == pytest.approx([0.25], rel=1e-3)
    assert one_cycle(0.1, 0.1) == 1.0


def test_a_run_ends_by_the_clock(
    tiny_config: ModelConfig, rows: list[Utterance], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticks = itertools.count(0.0, 1.0)
    monkeypatch.setattr(ClockSchedule, "elapsed", property(lambda self: next(ticks)))
    config = _config(tmp_path / "run", None, epochs=50, minutes=0.5)
    Trainer(tiny_config, config, rows).fit()
    steps = read_csv(tmp_path / "run" / STEPS_CSV)
    assert 3 < len(steps) < 15
    progress = load_checkpoint(tmp_path / "run" / "last").progress
    assert progress["step"] == len(steps)
    assert progress["seconds"] > 0
