"""``asr-export verify --manifest``: the exported model on real files, next to its checkpoint."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from asr_export import Arithmetic, ParityError, ParityReport, Precision
from asr_export.verification.transcript_regression import TranscriptRegression
from asr_export.verification.transcripts import transcribe_recordings
from asr_train.checkpoints.checkpoint import WEIGHTS
from asr_train.evaluation.metrics import ErrorRates
from asr_train.model.vocabulary import BLANK_ID, NUM_CLASSES

Run = Callable[..., tuple[int, str, str]]
TEXTS = ("the cat", "a longer sentence than the others", "who", "it isn't")


@pytest.fixture
def model(files: dict[str, Path]) -> Path:
    return files["fp32"]


def _with_random_classifier(source: Path, path: Path) -> Path:
    """The model with another last layer: every log-probability is wrong."""
    proto = onnx.load(source)
    bias = next(item for item in proto.graph.initializer if item.name == "classifier.3.bias")
    other = np.random.default_rng(3).normal(0, 5, NUM_CLASSES).astype(np.float32)
    bias.CopyFrom(numpy_helper.from_array(other, bias.name))
    onnx.save(proto, path)
    return path


def test_the_same_model_reads_the_same(
    asr_export: Run,
    tiny_checkpoint: Path,
    model: Path,
    write_manifest: Callable[..., Path],
    tmp_path: Path,
) -> None:
    manifest, more = write_manifest(TEXTS), write_manifest(["so", "oh"], "more.jsonl")
    more.write_text(more.read_text().replace('"oh"', '"oh!"'))
    out = tmp_path / "report.json"
    code, stdout, stderr = asr_export(
        "verify", tiny_checkpoint, model, "--manifest", manifest, "--manifest", more, "--json", out
    )
    assert code == 0, stderr
    assert "recordings: 5 utterances" in stderr
    assert "recordings: skipped 1: the transcript holds characters outside" in stderr
    document = json.loads(out.read_text())
    found = document["recordings"]
    assert document["passed"]
    assert found["passed"]
    assert found["recordings"] == found["equal_texts"] == 5
    assert 0 < found["max_difference"] < 1e-4
    assert 0 < found["mean_difference"] < found["max_difference"]
    assert found["checkpoint_rates"] == found["model_rates"]
    assert found["checkpoint_rates"]["words"] == sum(len(text.split()) for text in TEXTS) + 1
    assert found["changed_characters"] == 0
    assert found["model_bytes"] == model.stat().st_size
    assert found["checkpoint_bytes"] == (tiny_checkpoint / WEIGHTS).stat().st_size
    assert (found["required_equal_share"], found["allowed_word_error_rate_change"]) == (0.99, 0.003)
    line = next(line for line in stdout.splitlines() if line.startswith("texts equal"))
    assert line.split() == ["texts", "equal,", "%", "100.00", "99", "or", "more"]
    assert f"{model.stat().st_size / 1e6:.2f}" in stdout


def test_without_a_manifest_nothing_is_read(
    asr_export: Run, tiny_checkpoint: Path, model: Path, tmp_path: Path
) -> None:
    out = tmp_path / "report.json"
    code, stdout, stderr = asr_export("verify", tiny_checkpoint, model, "--json", out)
    assert (code, stderr) == (0, "")
    assert "recordings" not in stdout
    assert set(json.loads(out.read_text())) == {"tolerance", "passed", "rows"}


def test_a_wrong_model_is_measured_then_refused(
    asr_export: Run,
    tiny_checkpoint: Path,
    model: Path,
    write_manifest: Callable[..., Path],
    tmp_path: Path,
) -> None:
    wrong, out = _with_random_classifier(model, tmp_path / "wrong.onnx"), tmp_path / "report.json"
    code, stdout, stderr = asr_export(
        "verify", tiny_checkpoint, wrong, "--manifest", write_manifest(TEXTS), "--json", out
    )
    assert code == 1
    assert "FAILED: 0 of 4 texts are equal, 0.0 %, required 99 % for fp32" in stdout
    assert stderr.splitlines()[-1].startswith("asr-export: the exported model differs")
    document = json.loads(out.read_text())
    assert not document["passed"]
    assert document["recordings"]["max_difference"] > 1
    assert document["recordings"]["changed_characters"] > 0


def test_a_bad_manifest_is_one_line(
    asr_export: Run, tiny_checkpoint: Path, model: Path, tmp_path: Path
) -> None:
    (tmp_path / "bad.jsonl").write_text('{"audio_filepath": "none.wav"}\n')
    code, stdout, stderr = asr_export(
        "verify", tiny_checkpoint, model, "--manifest", tmp_path / "bad.jsonl"
    )
    assert (code, stdout) == (1, "")
    assert stderr.count("\n") == 1
    assert "bad.jsonl:1: the key 'duration' is missing" in stderr


@pytest.fixture
def regression() -> TranscriptRegression:
    rates = ErrorRates(0.2, 0.1, 1000)
    return TranscriptRegression(
        Precision.fp32, 200, 3600.0, 200, 0.0, 1e-5, 1e-6, rates, rates, 100, 50
    )


@pytest.mark.parametrize(
    ("changes", "failure"),
    [
        ({}, None),
        ({"equal_texts": 198}, None),
        ({"equal_texts": 197}, "197 of 200 texts are equal, 98.5 %, required 99 % for fp32"),
        ({"equal_texts": 197, "precision": Precision.fp16}, "required 99 % for fp16"),
        ({"equal_texts": 100, "changed_characters": 0.01, "precision": Precision.int8}, None),
        (
            {"changed_characters": 0.0101, "precision": Precision.int8},
            "1.01 % of the characters change, allowed 1 % for int8",
        ),
        ({"equal_texts": 100, "precision": Precision.fp16, "arithmetic": Arithmetic.fp16}, None),
        (
            {
                "changed_characters": 0.0101,
                "precision": Precision.fp16,
                "arithmetic": Arithmetic.fp16,
            },
            "1.01 % of the characters change, allowed 1 % for fp16",
        ),
        ({"model_rates": ErrorRates(0.2029, 0.1, 1000)}, None),
        ({"model_rates": ErrorRates(0.2031, 0.1, 1000)}, "differs by +0.31 points, allowed 0.3"),
        ({"model_rates": ErrorRates(0.1969, 0.1, 1000)}, "differs by -0.31 points, allowed 0.3"),
        ({"max_difference": np.nan}, "not finite"),
        ({"max_difference": np.inf}, "output_lengths differ"),
    ],
)
def test_limits(regression: TranscriptRegression, changes: dict, failure: str | None) -> None:
    changed = dataclasses.replace(regression, **changes)
    report = ParityReport((), 1e-4, transcripts=changed)
    assert changed.passed is report.passed is (failure is None)
    if failure is None:
        report.require()
    else:
        with pytest.raises(ParityError) as refused:
            report.require()
        assert failure in str(refused.value)
        assert failure in report.table()


class _Scripted:
    """Gives the frames that the first sample of each recording says, all of one class."""

    def __init__(self, classes: Sequence[int], shift: float = 0.0) -> None:
        self.classes, self.shift = classes, shift
        self.batches: list[tuple[int, int]] = []

    def __call__(self, values: np.ndarray, lengths: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        self.batches.append(values.shape)
        logprobs = np.full((len(values), 4, NUM_CLASSES), -9.0, np.float32)
        for row, samples in zip(logprobs, values, strict=True):
            row[0, self.classes[int(samples[0])]] = 0.0
            row[1:, BLANK_ID] = 0.0
        logprobs[:, :2] += self.shift
        logprobs[:, 2:] += 100 * self.shift  # past the lengths: nobody looks there
        return logprobs, np.full(len(values), 2)


def test_transcripts_keep_the_order_and_mind_the_lengths() -> None:
    """Recordings of 50, 20 and 30 s: batches of like length, within a minute, padded."""
    seconds = (50.0, 20.0, 30.0)
    store = [
        np.full(round(16_000 * value), index, np.float32) for index, value in enumerate(seconds)
    ]
    forms = {
        "reference": _Scripted([2, 3, 4]),
        "near": _Scripted([2, 3, 4], shift=0.25),
        "far": _Scripted([2, 3, 5]),
    }
    transcripts = transcribe_recordings(forms, seconds, store, progress=False)
    assert forms["near"].batches == [(2, 16_000 * 30), (1, 16_000 * 50)]
    assert transcripts["reference"].texts == ("a", "b", "c")
    assert transcripts["near"].texts == ("a", "b", "c")
    assert transcripts["far"].texts == ("a", "b", "d")
    assert transcripts["far"].equal_texts(transcripts["reference"]) == 2
    assert transcripts["near"].max_difference == transcripts["near"].mean_difference == 0.25
    assert transcripts["reference"].max_difference == 0
    assert transcripts["far"].max_difference == 9
    assert transcripts["far"].mean_difference == pytest.approx(2 * 9 / (3 * 2 * NUM_CLASSES))
