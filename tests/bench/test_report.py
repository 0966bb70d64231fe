import dataclasses
import json

import pytest

from asr_bench.model_forms.latency_report import LatencyReport
from asr_bench.model_forms.subjects import EAGER, ONNX
from asr_export.inspection.flops import operations_per_second
from asr_train.errors import OutputError


@pytest.fixture
def report(environment, settings, subject, cells) -> LatencyReport:
    return LatencyReport(environment, 0.9, settings, (subject,), tuple(cells))


def steady(report: LatencyReport) -> LatencyReport:
    cell = dataclasses.replace(report.cells[0], latencies={EAGER: (2, 2, 2), ONNX: (1, 1, 1)})
    return dataclasses.replace(report, cells=(cell,))


def test_table_is_aligned(report) -> None:
    header, eager, onnx, *notes = report.table().splitlines()
    assert eager.split()[:8] == ["tiny", *EAGER.split(), "1", "4", "2000.0", "7400.0", "2000.0"]
    for column in ("median ms", "p95 ms", "min ms", "RTF", "/ eager", "GFLOP/s", "of sgemm"):
        end = header.index(column) + len(column)
        for line in (eager, onnx):
            assert line[end - 1].strip(), f"{column} does not end where its numbers do"
            assert line[end : end + 1] in (" ", "")
    assert "0.5000" in eager
    assert "0.50" in onnx.split()
    rates = "fast sgemm 10.0 GFLOP/s, slow sgemm 5.0 GFLOP/s"
    assert f"fp32, 1 thread: {rates}; of sgemm: of the fastest" in notes
    assert any(note.startswith("Abacus 3000, 2 logical cores; Linux x86_64") for note in notes)
    assert any("0.00 M parameters, random weights" in note for note in notes)


def test_scattered_samples_are_marked(report) -> None:
    assert all(line.endswith("noisy") for line in report.table().splitlines()[1:3])
    assert "noisy: p95 above 1.5 x median" in report.table()
    assert "noisy" not in steady(report).table()


def test_an_overloaded_machine_marks_every_row(report, environment) -> None:
    busy = dataclasses.replace(environment, load_average=2.1)
    overloaded = dataclasses.replace(steady(report), environment=busy)
    assert all(line.endswith("noisy") for line in overloaded.table().splitlines()[1:3])
    assert "noisy: load average 2.1 before the measurement on 2 cores" in overloaded.table()
    assert all(row["noisy"] for row in overloaded.to_dict()["rows"])
    full = dataclasses.replace(environment, load_average=2.0)
    assert "noisy" not in dataclasses.replace(overloaded, environment=full).table()
    unknown = dataclasses.replace(environment, load_average=None)
    assert "noisy" not in dataclasses.replace(overloaded, environment=unknown).table()


def test_markdown(report, tmp_path) -> None:
    report.save_markdown(tmp_path / "latency.md")
    lines = (tmp_path / "latency.md").read_text(encoding="utf-8").splitlines()
    table = [line for line in lines if line.startswith("|")]
    assert len(table) == 4
    assert {line.count("|") for line in table} == {13}
    assert table[2].startswith(f"| tiny | {EAGER} | 1 | 4 | 2000.0 | 7400.0 | 2000.0 | 0.5000 |")
    assert table[1].startswith("| :-- | :-- | --: |")
    # A list must be parted from the table, or it becomes a row of it.
    assert lines[4] == ""
    assert lines[5].startswith("- Abacus 3000")


def test_json_holds_every_sample(report, tmp_path, tiny) -> None:
    report.save_json(tmp_path / "latency.json")
    document = json.loads((tmp_path / "latency.json").read_text(encoding="utf-8"))
    assert document["format_version"] == 1
    assert document["environment"]["cpu"] == "Abacus 3000"
    assert document["environment"]["load_average"] == 0.3
    assert document["environment"]["load_average_after"] == 0.9
    assert document["environment"]["overloaded"] is False
    assert document["settings"] == {"durations": [4], "threads": [1], "rounds": 3, "warmup": 1}
    assert [row["samples_ms"] for row in document["rows"]] == [[2000, 2000, 8000], [1e3, 1e3, 4e3]]
    (sgemm,) = document["sgemm"]
    assert sgemm["samples_gflops"]["fast sgemm"] == pytest.approx([10, 10, 2.5])
    (model,) = document["models"]
    assert model["config"] == tiny.to_dict()
    assert model["checkpoint_sha256"] is None
    assert model["operations_per_second"]["total"] == operations_per_second(tiny).total


def test_a_report_that_cannot_be_written_leaves_the_old_one(report, tmp_path) -> None:
    path = tmp_path / "latency.json"
    path.write_text("old")
    broken = dataclasses.replace(report, cells=(None,))
    with pytest.raises(AttributeError):
        broken.save_json(path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
    with pytest.raises(OutputError, match="does not exist"):
        report.save_json(tmp_path / "missing" / "latency.json")
