"""``asr-train language-model`` and ``asr-train tune-decoder`` from the command line."""

from __future__ import annotations

import io
import json
import lzma
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from asr_runtime.language.language_model_file import read_language_model
from asr_runtime.language.phonemes import format_phonemes
from asr_runtime.recognizer import DEFAULT_LANGUAGE_MODEL, DEFAULT_MODEL
from asr_train.cli import main
from asr_train.errors import ConfigError
from asr_train.evaluation.decoder_tuning import combinations, parse_scan

TEXT = "The cat sat on the mat.\nthe dog sat on the cat\na dog and a cat\n"


@pytest.fixture
def run(run_command_line: Callable[..., tuple[int, str, str]]) -> Callable[..., tuple[int, str]]:
    def command(*arguments: object) -> tuple[int, str]:
        status, out, errors = run_command_line(main, *arguments)
        return status, out if status == 0 else errors.splitlines()[-1]

    return command


def test_build(run: Callable[..., tuple[int, str]], tmp_path: Path) -> None:
    with lzma.open(tmp_path / "a.xz", "wt") as file:
        file.write(TEXT * 5)
    (tmp_path / "b.jsonl").write_text(json.dumps({"text": "a bird"}) + "\n")
    (tmp_path / "dev.txt").write_text("the bird sat\n")
    out = tmp_path / "out.lm"
    status, said = run(
        "language-model",
        tmp_path / "a.xz",
        tmp_path / "b.jsonl",
        *("--out", out, "--minimum-count", 1, "--dev-text", tmp_path / "dev.txt"),
        *("--source", "made up", "--order", 2),
    )
    assert status == 0
    assert "16 lines, 87 words; 5 lines held characters other" in said
    assert "vocabulary: 9 words, 100.00 % of the text" in said
    assert "perplexity of" in said
    model = read_language_model(out)
    assert list(model.words) == ["a", "and", "bird", "cat", "dog", "mat", "on", "sat", "the"]
    assert model.order == 2
    assert model.header["source"] == "made up"
    assert model.header["dev_perplexity"] > 1


def test_mixture_and_conversion(run: Callable[..., tuple[int, str]], tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(TEXT * 5)
    (tmp_path / "b.txt").write_text("a bird mr sang\nthe bird sang to the dog\n" * 5)
    (tmp_path / "kind.txt").write_text("the bird sang\nthe cat sat\nthe bird sang\n")
    (tmp_path / "not.txt").write_text("mr\nmrs\n")
    out, arpa = tmp_path / "out.lm", tmp_path / "out.arpa"
    status, said = run(
        *("language-model", tmp_path / "a.txt", tmp_path / "b.txt", "--out", out, "--arpa", arpa),
        *("--weights-text", tmp_path / "kind.txt", "--dev-text", tmp_path / "kind.txt"),
        *("--exclude", tmp_path / "not.txt", "--cut-offs", "1,1"),
        *("--also", f"0.1={tmp_path / 'small.lm'}"),
    )
    assert status == 0, said
    weights = [
        float(text.split()[1]) for text in said.split("weights: ")[1].split("\n")[0].split(", ")
    ]
    assert sum(weights) == pytest.approx(1, abs=0.002)
    assert weights[1] > 0.5
    words = read_language_model(out).words
    assert "bird" in words
    assert "cat" in words
    assert "mr" not in words
    assert (tmp_path / "small.lm").stat().st_size <= 100_000
    assert read_language_model(tmp_path / "small.lm").words == words
    perplexity = said.split("kind.txt: ")[1].split()[0]
    again = tmp_path / "again.lm"
    status, said = run("language-model", arpa, "--out", again, "--dev-text", tmp_path / "kind.txt")
    assert status == 0, said
    assert said.split("kind.txt: ")[1].split()[0] == perplexity
    assert read_language_model(again).words == words
    status, said = run("language-model", out, "--out", again, "--arpa", tmp_path / "b.arpa")
    assert status == 0, said
    assert (tmp_path / "b.arpa").read_text().count("\n") == arpa.read_text().count("\n")


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["text.txt", "--out", "a.lm", "--weights", "1,2"], "2 weights for 1 texts"),
        (["text.txt", "--out", "a.lm", "--also", "b.lm"], "--also b.lm: write for example"),
        (["text.txt", "--out", "a.lm", "--weights", "x"], "--weights x: give a number"),
        (["text.txt", "--out", "a.lm", "--cut-offs", "2,1"], "none smaller"),
        (["text.txt", "--out", "a.lm", "--cut-offs", "1,1,1"], "at most 2"),
        (
            ["text.txt", "--out", "a.lm", "--order", "4"],
            "up to 3 words; for longer ones give --arpa",
        ),
        (["text.txt", "--out", "a.lm", "--exclude", "none"], "none: cannot read the words"),
        (["text.txt", "a.arpa", "--out", "a.lm"], "converted by itself"),
        (["a.arpa", "--out", "a.lm"], "a.arpa: cannot read the model"),
        (["none.txt", "--out", "a.lm"], "none.txt: cannot read the text"),
        (["text.txt", "--out", "no/a.lm"], "the folder no does not exist"),
        (["text.txt", "--out", "a.lm", "--max-megabytes", "0.001"], "words alone take more"),
        (["text.txt", "--out", "a.lm", "--minimum-count", "99"], "no word occurs 99 times"),
        (["text.txt", "--out", "a.lm", "--dev-text", "none"], "none: cannot read the text"),
    ],
)
def test_unusable(
    run: Callable[..., tuple[int, str]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    problem: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("text.txt").write_text(TEXT)
    status, said = run("language-model", *arguments)
    assert status == 1
    assert problem in said
    assert not Path("a.lm").exists()


def test_scan_is_every_combination() -> None:
    settings = combinations(parse_scan(["beam_size=10,20", "word_bonus=-1,0,2.5"]))
    assert [(each.beam_size, each.word_bonus) for each in settings] == [
        (size, bonus) for size in (10, 20) for bonus in (-1, 0, 2.5)
    ]
    assert len(combinations(parse_scan([]))) == 1


@pytest.mark.parametrize(
    ("scan", "problem"),
    [
        ("speed=1", "no beam setting 'speed'"),
        ("beam_size=1.5", "numbers"),
        ("word_bonus", "numbers"),
        ("beam_size=0", "beam_size must be"),
    ],
)
def test_wrong_scan(scan: str, problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        combinations(parse_scan([scan]))


@pytest.mark.skipif(
    not (DEFAULT_MODEL.exists() and DEFAULT_LANGUAGE_MODEL.exists()),
    reason="asr_runtime/models is not complete in this installation",
)
def test_tune(
    run: Callable[..., tuple[int, str]], tmp_path: Path, write_manifest: Callable[..., Path]
) -> None:
    manifest = write_manifest(["the cat", "a dog"])
    cache = tmp_path / "outputs.npz"
    arguments = ["--manifest", manifest, "--cache", cache, "--scan", "word_bonus=0,1"]
    status, said = run("tune-decoder", *arguments)
    assert status == 0
    lines = said.splitlines()
    assert [line.split("  ")[-1] for line in lines[:3]] == [
        "greedy",
        "word_bonus 0",
        "word_bonus 1",
    ]
    assert lines[3].startswith("best: PhonemeBeamConfig(word_bonus=")
    saved = cache.read_bytes()
    assert run("tune-decoder", *arguments)[0] == 0
    assert cache.read_bytes() == saved
    # Of other recordings, it is made anew.
    assert run("tune-decoder", *arguments, "--every", 2)[0] == 0
    assert cache.read_bytes() != saved
    # And of the same recordings under another condition.
    assert run("tune-decoder", *arguments)[0] == 0
    assert run("tune-decoder", *arguments, "--snr-db", 0, "--gain-db", -6)[0] == 0
    assert cache.read_bytes() != saved
    with np.load(io.BytesIO(saved)) as clean, np.load(cache) as noisy:
        assert clean["log_probs"].shape == noisy["log_probs"].shape
        assert np.abs(clean["log_probs"] - noisy["log_probs"]).max() > 0.01
    cache.write_bytes(b"something else")
    status, said = run("tune-decoder", *arguments)
    assert status == 1
    assert "not a cache of tune-decoder" in said


def test_the_file_says_how_its_words_are_spoken(
    run: Callable[..., tuple[int, str]], tmp_path: Path
) -> None:
    (tmp_path / "text.txt").write_text("the old dog\nthe zorbo dog\n" * 3)
    (tmp_path / "lexicon.txt").write_text("zorbo Z AO R B OW\n")
    out, plain, again = (tmp_path / f"{name}.lm" for name in ("out", "plain", "again"))
    text = tmp_path / "text.txt"
    assert run("language-model", text, "--out", out, "--lexicon", tmp_path / "lexicon.txt")[0] == 0
    assert run("language-model", text, "--out", plain, "--no-pronunciations")[0] == 0
    assert run("language-model", plain, "--out", again)[0] == 0
    model = read_language_model(out)
    spoken = model.pronunciations()
    assert spoken is not None
    assert [format_phonemes(each) for each in spoken.of(model.words.index("zorbo"))] == [
        "Z AO R B OW"
    ]
    assert format_phonemes(spoken.of(model.words.index("dog"))[0]) == "D AO G"
    assert read_language_model(plain).pronunciations() is None
    converted = read_language_model(again).pronunciations()
    assert converted is not None
    assert converted.of(model.words.index("dog")) == spoken.of(model.words.index("dog"))
