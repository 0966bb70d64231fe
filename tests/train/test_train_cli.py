"""``asr-train`` from the outside: output, and one clear line for what the user did wrong."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from asr_train import cli
from asr_train.checkpoints.checkpoint import load_checkpoint
from asr_train.checkpoints.int8_grid import find_rows

Run = Callable[..., tuple[int, str, str]]

TINY = [
    *("--set", "channels=2", "--set", "rnn_dim=8", "--set", "gru_hidden=8"),
    *("--set", "gru_layers=1", "--set", "residual_blocks=1"),
    *("--device", "cpu", "--workers", "0", "--precision", "fp32"),
]


@pytest.fixture
def asr_train(run_command_line: Callable[..., tuple[int, str, str]]) -> Run:
    """Run the command in this process: exit code, stdout, stderr."""
    return functools.partial(run_command_line, cli.main)


def _fails(result: tuple[int, str, str], message: str) -> None:
    code, _, stderr = result
    last = stderr.strip().splitlines()[-1]
    assert code == 1
    assert last.startswith("asr-train: ")
    assert message in last
    assert "Traceback" not in stderr


def test_fit_then_evaluate(
    asr_train: Run,
    write_manifest: Callable[..., Path],
    tmp_path: Path,
) -> None:
    manifest = write_manifest(["cab bad", "bead"])
    manifest.write_text(manifest.read_text() + manifest.read_text().replace("cab bad", "caß"))
    out = tmp_path / "run"
    code, _, stderr = asr_train(
        *("fit", "--out", out, "--train-manifest", manifest, "--train-manifest", manifest),
        *("--dev-manifest", manifest, "--epochs", 1, *TINY),
    )
    assert code == 0, stderr
    assert "train: 6 utterances" in stderr
    assert "train: skipped 2: the transcript holds characters outside" in stderr
    assert load_checkpoint(out / "best").progress["epoch"] == 1

    report = tmp_path / "report.json"
    code, stdout, _ = asr_train("evaluate", out / "best", "--manifest", manifest, "--json", report)
    assert code == 0
    assert stdout.startswith("WER ")
    assert "said  cab bad" in stdout
    document = json.loads(report.read_text())
    assert len(document["utterances"]) == 3
    assert document["words"] == 4


def test_fit_on_a_librispeech_folder(
    asr_train: Run,
    write_manifest: Callable[..., Path],
    tmp_path: Path,
) -> None:
    import soundfile

    rows = [json.loads(line) for line in write_manifest(["cab", "bead"]).read_text().splitlines()]
    for subset in ("train-clean-100", "train-other-500"):
        folder = tmp_path / "LibriSpeech" / subset / "7" / "21"
        folder.mkdir(parents=True)
        lines = []
        for index, row in enumerate(rows):
            samples, rate = soundfile.read(tmp_path / row["audio_filepath"])
            soundfile.write(folder / f"7-21-000{index}.flac", samples, rate)
            lines.append(f"7-21-000{index} {row['text'].upper()}\n")
        (folder / "7-21.trans.txt").write_text("".join(lines))
    for subsets, utterances in (
        (["train-clean-100"], 2),
        (["train-clean-100", "train-other-500"], 4),
    ):
        code, _, stderr = asr_train(
            *("fit", "--out", tmp_path / f"run{utterances}", "--librispeech", tmp_path),
            *(option for name in subsets for option in ("--subset", name)),
            *("--epochs", 1, "--speed", 0.1, "--noise", 0.3, "--volume", 0.5, *TINY),
        )
        assert code == 0, stderr
        assert f"train: {utterances} utterances" in stderr


def test_fit_with_every_option_of_the_recipe(
    asr_train: Run,
    write_manifest: Callable[..., Path],
    tmp_path: Path,
) -> None:
    manifest = write_manifest(["cab bad", "bead", "dead cab"])
    out, average = tmp_path / "run", tmp_path / "average"
    code, _, stderr = asr_train(
        *("fit", "--out", out, "--train-manifest", manifest, "--dev-manifest", manifest),
        *("--epochs", 3, "--batch-seconds", 2, "--audio-cache", tmp_path / "cache", "--keep", 2),
        *("--speed", 0.1, "--reverb", 1, "--noise", 1, "--band-limit", 1, "--volume", 1),
        *("--silence", 0.5, "--round-weights", "int8"),
        *("--non-speech", 0.3, "--freq-masks", 2, "--time-masks", 2, "--set", "dropout=0.1", *TINY),
    )
    assert code == 0, stderr
    epochs = sorted(out.glob("epoch-*"))
    assert len(epochs) == 2
    code, stdout, _ = asr_train("average", *epochs, "--out", average)
    assert code == 0
    assert "wrote" in stdout
    assert load_checkpoint(average).progress["averaged"] == [path.name for path in epochs]
    _fails(asr_train("average", *epochs, "--out", average), "already holds a checkpoint")
    code, stdout, _ = asr_train(
        "evaluate", average, "--manifest", manifest, "--gain-db", -20, "--snr-db", 10
    )
    assert code == 0
    assert stdout.startswith("WER ")
    compact = tmp_path / "compact"
    assert asr_train("compact", average, compact, "--round-weights", "int8")[0] == 0
    assert find_rows(load_checkpoint(compact).model.projection.weight.detach()) is not None


def test_bad_input_is_one_clear_line(
    asr_train: Run,
    write_manifest: Callable[..., Path],
    tiny_checkpoint: Path,
    tmp_path: Path,
) -> None:
    manifest = write_manifest(["cab"])
    fit = ("fit", "--out", tmp_path / "run", *TINY)
    data = ("--train-manifest", manifest)
    empty = tmp_path / "empty.jsonl"
    empty.touch()
    broken = tmp_path / "broken.jsonl"
    broken.write_text(manifest.read_text() + "{oops\n")
    gone = tmp_path / "gone.jsonl"
    gone.write_text('{"audio_filepath": "no.wav", "duration": 1, "text": "a"}\n')
    blocked = tmp_path / "file"
    blocked.touch()

    _fails(asr_train(*fit), "no training data")
    _fails(asr_train(*fit, "--train-manifest", empty), "the manifest is empty")
    _fails(asr_train(*fit, "--train-manifest", broken), f"{broken}:2: not JSON")
    _fails(asr_train(*fit, "--train-manifest", gone), f"{gone}:1: audio file not found")
    _fails(
        asr_train(*fit, *data, "--set", "layers=3"),
        "--set layers=3: unknown setting 'layers'; did you mean model.gru_layers?",
    )
    _fails(asr_train(*fit, *data, "--preset", "huge"), "unknown preset 'huge'")
    _fails(asr_train(*fit, *data, "--resume"), "nothing to resume")
    _fails(asr_train(*fit, *data, "--init", tmp_path / "no"), "is not a checkpoint")
    _fails(asr_train(*fit, "--librispeech", tmp_path), "is not there; give the folder")
    _fails(asr_train("fit", "--out", blocked / "run", *TINY, *data), "cannot write to")
    _fails(asr_train("evaluate", tmp_path, "--manifest", manifest), "is not a checkpoint")
    _fails(
        asr_train("evaluate", tiny_checkpoint, "--manifest", manifest, "--json", blocked / "x"),
        "cannot write",
    )
    _fails(asr_train("compact", tmp_path / "no", tmp_path / "out"), "is not a checkpoint")
    speech = ("--out", tmp_path / "speech", "--hours", 1)
    _fails(asr_train("synthesize", tmp_path / "no.txt", *speech), "cannot read the text")
    _fails(asr_train("compact", tiny_checkpoint, tiny_checkpoint), "already holds a checkpoint")
    assert not (tmp_path / "run" / "last").exists()


def test_undecodable_training_audio_is_one_clear_line(
    asr_train: Run,
    write_manifest: Callable[..., Path],
    tmp_path: Path,
) -> None:
    manifest = write_manifest(["cab", "bead"])
    (tmp_path / "train-1.wav").write_bytes(b"RIFF nonsense")
    command = ("fit", "--out", tmp_path / "run", "--train-manifest", manifest)
    command += ("--epochs", 1, *TINY)
    code, stdout, stderr = asr_train(*command)
    assert code == 0, stderr
    assert "train-1.wav" in stdout + stderr, "what is left out is told"
    (tmp_path / "train-0.wav").write_bytes(b"RIFF nonsense")
    code, _, stderr = asr_train(*command[:2], tmp_path / "other", *command[3:])
    assert code == 1
    assert stderr.strip().splitlines()[-1].startswith("asr-train: ")
