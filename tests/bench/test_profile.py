"""The profile by operator."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import onnx
import pytest

from asr_bench.cli import main
from asr_bench.profiling.operator_profile import OperatorTime, profile_operators
from asr_bench.profiling.profile_command import operator_table

Run = Callable[..., tuple[int, str, str]]


def test_every_operator_of_every_counted_run(streaming_model: Path) -> None:
    found = profile_operators(streaming_model, 2.0, 1, 3, 1)
    operators = {one.operator: one for one in found}
    assert {len(one.seconds) for one in found} == {3}
    assert min(min(one.seconds) for one in found) >= 0
    assert [one.median for one in found] == sorted((one.median for one in found), reverse=True)
    # The exporter writes GELU so that ONNX Runtime makes one operator of its five.
    assert operators["Gelu"].nodes >= 4
    assert "Erf" not in operators
    assert operators["GRU"].nodes >= 1


def test_shares_are_of_all_and_small_ones_share_a_row() -> None:
    operators = (
        OperatorTime("GRU", 3, (0.6, 0.6, 9.0)),
        OperatorTime("Conv", 9, (0.397,) * 3),
        OperatorTime("Log", 1, (0.002,) * 3),
        OperatorTime("Pad", 2, (0.001,) * 3),
    )
    shown = operator_table("model.onnx", 30.0, 1, operators)
    assert shown.texts()[1:] == [
        ["GRU", "3", "600.00", "60.0"],
        ["Conv", "9", "397.00", "39.7"],
        ["2 others", "3", "3.00", "0.3"],
    ]
    assert "model.onnx, 30 s of audio" in shown.notes[0]


def test_command_line(run_command_line: Run, streaming_model: Path, tmp_path: Path) -> None:
    out = tmp_path / "profile.json"
    arguments = (streaming_model, "--seconds", 1, "--rounds", 2, "--json", out)
    code, stdout, stderr = run_command_line(main, "profile", *arguments)
    assert code == 0, stderr
    assert stdout.startswith("operator ")
    document = json.loads(out.read_text())
    assert document["duration"] == 1.0
    assert "GRU" in [one["operator"] for one in document["operators"]]
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"nothing")
    code, _, stderr = run_command_line(main, "profile", broken)
    assert code == 1
    assert len(stderr.splitlines()) == 1
    assert "broken.onnx" in stderr


@pytest.mark.parametrize(
    ("option", "problem"),
    [
        ("--seconds", "duration must be more than 0"),
        ("--rounds", "rounds must be 1 or more"),
        ("--threads", "threads must be 1 to"),
    ],
)
def test_impossible_numbers(
    run_command_line: Run, streaming_model: Path, option: str, problem: str
) -> None:
    code, _, stderr = run_command_line(main, "profile", streaming_model, option, 0)
    assert code == 1
    assert problem in stderr


def test_a_model_of_another_kind(run_command_line: Run, tmp_path: Path) -> None:
    value = onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [1])
    node = onnx.helper.make_node("Identity", ["x"], ["y"])
    result = onnx.helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [1])
    graph = onnx.helper.make_graph([node], "other", [value], [result])
    onnx.save(onnx.helper.make_model(graph, ir_version=10), tmp_path / "other.onnx")
    code, _, stderr = run_command_line(main, "profile", tmp_path / "other.onnx")
    assert code == 1
    assert len(stderr.splitlines()) == 1
    assert "without a model card" in stderr
