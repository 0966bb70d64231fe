"""Dataclasses whose fields are options of the commands that take them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner

from asr_runtime.command import listen, transcribe
from asr_runtime.command.option_groups import expand_option_groups


@dataclass(frozen=True)
class Base:
    speed: Annotated[int, typer.Option("--speed", min=1, help="How fast.")] = 3


@dataclass(frozen=True)
class Group(Base):
    names: Annotated[list[str] | None, typer.Option("--name")] = None
    known: str = "not an option"


def test_fields_are_options_and_come_as_one_object() -> None:
    app = typer.Typer(rich_markup_mode=None)
    seen = []

    @app.command()
    @expand_option_groups
    def command(place: str, *, group: Group, last: bool = False) -> None:
        seen.append((place, group, last))

    run = CliRunner().invoke
    assert run(app, ["here"]).exit_code == 0
    assert (
        run(app, ["there", "--speed", "4", "--name", "a", "--name", "b", "--last"]).exit_code == 0
    )
    assert seen == [("here", Group(), False), ("there", Group(4, ["a", "b"]), True)]
    assert run(app, ["here", "--speed", "0"]).exit_code == 2
    assert run(app, ["here", "--known", "x"]).exit_code == 2
    listed = run(app, ["--help"]).output
    assert "How fast.  [default: 3; x>=1]" in listed
    assert listed.index("--speed") < listed.index("--name") < listed.index("--last")


@pytest.mark.parametrize("app", [transcribe.app, listen.app])
def test_contradictions_are_found_before_any_process_starts(
    app: typer.Typer, save_model: Callable[..., Path]
) -> None:
    both = ["--no-punctuate", "--punctuation-model", "x", "--model", str(save_model())]
    done = CliRunner().invoke(app, [*both, "no such file"])
    assert done.exit_code == 2
    assert "choose one of --no-punctuate and --punctuation-model" in done.output
