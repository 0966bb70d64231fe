"""Recipes: read, changed and written; what is wrong in one is one clear line."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from asr_train.augmentation.config import AugmentationConfig, MaskingConfig
from asr_train.errors import ConfigError
from asr_train.model.config import preset
from asr_train.training.config import (
    ChunkedConfig,
    Device,
    LossConfig,
    TrainingConfig,
)
from asr_train.training.recipe import (
    assign,
    build,
    changed_settings,
    keys,
    parse_assignment,
    read_recipe,
    values_of,
    write_recipe,
)

RECIPES = Path(__file__).parents[2] / "train" / "recipes"
OUT = Path("run")
CHANGED = TrainingConfig(
    OUT,
    lexicon=Path("words.txt"),
    lf_mmi_from=0.2,
    minutes=11.0,
    device=Device.cuda,
    audio_cache=Path("cache"),
    audio_on_device=True,
    augmentation=AugmentationConfig(noise=0.3),
    masking=MaskingConfig(vocal_tract=0.1),
    chunked=ChunkedConfig(0.4, (300.0, 1600.0)),
    loss=LossConfig(consistency=0.2),
)


def test_every_setting_says_what_it_is() -> None:
    assert len(keys()) > 40
    for full, key in keys().items():
        assert key.setting.help.endswith("."), full


@pytest.mark.parametrize("training", [TrainingConfig(OUT), CHANGED])
def test_what_a_run_writes_is_read_again(tmp_path: Path, training: TrainingConfig) -> None:
    path = tmp_path / "config.toml"
    model = replace(preset("base"), dropout=0.3)
    write_recipe(path, model, training)
    again = build(read_recipe(path), OUT)
    assert values_of(*again) == values_of(model, training)
    assert again[0] == model
    assert changed_settings(path, model, training) == []
    longer = replace(training, epochs=99, minutes=None)
    lines = changed_settings(path, model, longer)
    assert f"training.epochs is 99 instead of {training.epochs}" in lines
    assert ("training.minutes is not set instead of 11.0" in lines) == bool(training.minutes)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            "[training]\nlearnig_rate = 1",
            "unknown setting 'training.learnig_rate'; did you mean training.learning_rate?",
        ),
        ("[masking]\nfreq_maks = 1", "did you mean masking.freq_mask"),
        ("[trainig]\nepochs = 1", "unknown table 'trainig'; the tables are: model, training"),
        ("epochs = 1", "'epochs' is in no table; did you mean training.epochs?"),
        ("[training]\nepochs = 1.5", "training.epochs must be int, not 1.5"),
        ("[training]\nepochs = true", "training.epochs must be int, not True"),
        ("[training]\nepochs = 0", "training.epochs must be 1 or more, not 0"),
        ("[training]\nlearning_rate = 0", "training.learning_rate must be more than 0, not 0"),
        ("[training]\nlearning_rate = nan", "training.learning_rate must be more than 0, not nan"),
        ("[training]\nweight_decay = inf", "training.weight_decay must be 0 or more, not inf"),
        ("[training]\naudio_on_device = 1", "audio_on_device must be true or false, not 1"),
        ('[training]\npad_to = "all"', "training.pad_to must be one of batch, max, not 'all'"),
        ("[training]\nlexicon = 3", "training.lexicon must be a path, not 3"),
        ("[augmentation]\nnoise = 1.5", "augmentation.noise must be 0 to 1, not 1.5"),
        ("[chunked]\nchunk_ms = [1]", "chunked.chunk_ms must be 2 values"),
        ("[chunked]\nchunk_ms = [0, 5]", "chunked.chunk_ms must be more than 0, not 0"),
        ("[model]\ndropout = 1", "model.dropout must be 0 or more and less than 1, not 1"),
        ("[training]\nout = 'x'", "unknown setting 'training.out'"),
        ("[training\n", "not TOML: "),
    ],
)
def test_a_bad_recipe_is_one_clear_line(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "recipe.toml"
    path.write_text(content)
    with pytest.raises(ConfigError) as error:
        read_recipe(path)
    assert str(error.value).startswith(f"{path}: ")
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_what_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot read the recipe"):
        read_recipe(tmp_path / "no.toml")
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="not a UTF-8 text file"):
        read_recipe(tmp_path / "binary.toml")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("noise", "--set noise: is not of the form key=value"),
        ("noize=0.3", "--set noize=0.3: unknown setting 'noize'; did you mean augmentation.noise?"),
        ("noise=much", "--set noise=much: augmentation.noise must be float, not 'much'"),
        ("training.noise=0.3", "unknown setting 'training.noise'"),
    ],
)
def test_a_bad_change_is_one_clear_line(change: str, message: str) -> None:
    with pytest.raises(ConfigError) as error:
        parse_assignment(change)
    assert message in str(error.value)


@pytest.mark.parametrize(
    "path", sorted(RECIPES.rglob("*.toml")), ids=lambda path: str(path.relative_to(RECIPES))
)
def test_every_recipe_of_the_repository_makes_a_configuration(path: Path) -> None:
    files = [assign("audio_cache", "cache", "test"), assign("lexicon", "words.txt", "test")]
    model, training = build([*read_recipe(path), *files], OUT)
    assert model.phonemes in (0, 39)
    assert training.epochs >= 1
    used = [script for script in path.parent.glob("*.sh") if path.stem in script.read_text()]
    assert used, "no stage uses it"
