"""What the commands of the neural language model refuse, each with one line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from neural_runs import SMALL, small_network, write_base

from asr_train.cli import main


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_base(tmp_path_factory.mktemp("base"))


def _spoil(folder: Path) -> None:
    """Write files that cannot be used."""
    (folder / "text.txt").write_text("the cat in here purrs\n" * 20)
    (folder / "short.txt").write_text("the cat\n")
    (folder / "broken.pt").write_bytes(b"nothing")
    torch.save({"weights": 1}, folder / "other.pt")
    torch.save({"model": small_network(16).state_dict()}, folder / "small.pt")
    torch.save(1, folder / "number.pt")
    weights = small_network().state_dict()
    weights["cluster.bias"][0] = float("nan")
    torch.save({"model": weights}, folder / "nan.pt")
    strange = {"model": small_network().state_dict(), "words": "\n".join(["zyx"] * 15)}
    torch.save(strange, folder / "strange.pt")


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["text.txt", "--weights", "1,2"], "2 weights for 1 texts; give one a text"),
        (["text.txt", "--weights", "x"], "--weights x: give a number"),
        (["text.txt", "--base", "none.lm"], "none.lm: there is no such language model file"),
        (["text.txt", "--clusters", "6,20"], "give smaller numbers"),
        (["text.txt", "--clusters", "6"], "3 sizes of embeddings for 2 clusters"),
        (["text.txt", "--clusters", "six"], "--clusters six: give whole numbers"),
        (["none.txt"], "none.txt: cannot read the text"),
        (["short.txt"], "short.txt has no more than 4 words"),
        (["text.txt", "--dev-text", "none"], "none: cannot read the text"),
        (["text.txt", "--init", "none.pt"], "none.pt: there is no such checkpoint"),
        (["text.txt", "--init", "small.pt"], "tables.2 has 6 x 4 and not 7 x 4 numbers"),
        (["text.txt", "--init", "other.pt"], "other.pt holds no neural language model"),
        (["text.txt", "--init", "nan.pt"], "cluster.bias holds values that are no numbers"),
        (["text.txt", "--out", "no/run/run"], "language-model.lm is a folder"),
    ],
)
def test_unusable_for_training(
    run_command_line: Callable[..., tuple[int, str, str]],
    base: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    problem: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    _spoil(tmp_path)
    (tmp_path / "no" / "run" / "run" / "language-model.lm").mkdir(parents=True)
    files = ["--base", base, "--out", "run", *SMALL, "--train-words", "1"]
    code, _, errors = run_command_line(main, "neural-language-model", *files, *arguments)
    assert code == 1
    assert problem in errors.splitlines()[-1]
    assert "Traceback" not in errors
    assert not (tmp_path / "run" / "language-model.lm").exists()


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["none.pt", "base.lm"], "none.pt: there is no such checkpoint"),
        (["broken.pt", "base.lm"], "broken.pt is damaged or no checkpoint of PyTorch"),
        (["number.pt", "base.lm"], "number.pt holds no neural language model"),
        (["strange.pt", "text.txt"], "text.txt: is not a language model"),
        (["strange.pt", "none.lm"], "none.lm: there is no such language model file"),
        (["strange.pt", "base.lm"], "does not know 15 of the network's 15 words, such as 'zyx'"),
        (["nan.pt", "base.lm"], "holds values that are no numbers"),
        (["wordless.pt", "base.lm"], "wordless.pt does not say which words it knows"),
    ],
)
def test_unusable_for_a_file(
    run_command_line: Callable[..., tuple[int, str, str]],
    base: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    problem: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    _spoil(tmp_path)
    torch.save({"model": small_network().state_dict()}, "wordless.pt")
    Path("base.lm").write_bytes(base.read_bytes())
    code, _, errors = run_command_line(main, "add-neural-language-model", *arguments, "out.lm")
    assert code == 1
    assert problem in errors.splitlines()[-1]
    assert "Traceback" not in errors
    assert not Path("out.lm").exists()
