"""``asr-train fit``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from asr_train.command.setting_options import with_setting_options
from asr_train.data.manifest import Utterance, read_manifest
from asr_train.errors import ConfigError, DataError
from asr_train.training.recipe import Assignment, build, parse_assignment, read_recipe

_DATA = "Data"


@with_setting_options
def fit(
    out: Annotated[
        Path, typer.Option(help="Folder of the run: checkpoints, logs, plot, config.toml.")
    ],
    config: Annotated[
        Path | None,
        typer.Option(help="Recipe: a TOML file of settings, such as a run's config.toml."),
    ] = None,
    changes: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="Change a setting of the recipe: --set noise=0.3 --set model.gru_layers=2; "
            "repeatable.",
        ),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on where --out stopped.")] = False,
    init: Annotated[
        Path | None, typer.Option(help="Start from the weights of this checkpoint.")
    ] = None,
    train_manifest: Annotated[
        list[Path] | None,
        typer.Option(
            help="JSON-lines manifest with NeMo's keys; repeatable.", rich_help_panel=_DATA
        ),
    ] = None,
    dev_manifest: Annotated[
        list[Path] | None,
        typer.Option(help="Scored after every epoch; repeatable.", rich_help_panel=_DATA),
    ] = None,
    librispeech: Annotated[
        Path | None,
        typer.Option(
            help="Folder that holds 'LibriSpeech'; trains on --subset.", rich_help_panel=_DATA
        ),
    ] = None,
    subset: Annotated[
        list[str] | None,
        typer.Option(
            help="LibriSpeech training subset, train-clean-100 by default; repeatable.",
            rich_help_panel=_DATA,
        ),
    ] = None,
    dev_subset: Annotated[
        str | None,
        typer.Option(help="LibriSpeech subset to score after every epoch.", rich_help_panel=_DATA),
    ] = None,
    download: Annotated[
        bool, typer.Option(help="Fetch missing LibriSpeech subsets.", rich_help_panel=_DATA)
    ] = False,
    *,
    assignments: list[Assignment],
) -> None:
    """Train a model; Ctrl-C leaves a checkpoint that --resume goes on from.

    Settings come from the recipe that --config names; options and --set change them.
    """
    recipe = read_recipe(config) if config is not None else []
    changed = [*assignments, *(parse_assignment(text) for text in changes or [])]
    _refuse_contradictions(changed)
    model_config, training_config = build([*recipe, *changed], out)
    train = _training_rows(
        train_manifest or [], librispeech, subset or ["train-clean-100"], download
    )
    dev = [row for path in dev_manifest or [] for row in read_manifest(path)]
    if dev_subset is not None:
        dev += _librispeech(librispeech, dev_subset, download)

    from asr_train.data.filtering import select_and_report
    from asr_train.training.trainer import Trainer

    kept = select_and_report(train, model_config, "train", training_config.max_seconds)
    kept_dev = select_and_report(dev, model_config, "dev") if dev else []
    Trainer(model_config, training_config, kept, kept_dev).fit(resume=resume, init=init)


def _refuse_contradictions(changes: list[Assignment]) -> None:
    known: dict[str, Assignment] = {}
    for change in changes:
        other = known.setdefault(change.key, change)
        if other.value != change.value:
            raise ConfigError(f"{other.origin} and {change.origin} contradict each other")


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
