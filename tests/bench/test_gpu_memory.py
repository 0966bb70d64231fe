"""What nvidia-smi says of the processes, and the column of it."""

from __future__ import annotations

import dataclasses
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from asr_bench.measuring.environment import Environment
from asr_bench.measuring.gpu_memory import gpu_memory
from asr_bench.reporting.run_tables import tables
from asr_bench.results import Results

MEBIBYTE = 2**20


@pytest.mark.parametrize(
    ("says", "found"),
    [
        ("", {}),
        ("12, 300\n", {12: 300 * MEBIBYTE}),
        ("12, 300\n7, 1\n12, 200\n", {12: 500 * MEBIBYTE, 7: MEBIBYTE}),  # on two GPUs
        ("12, [N/A]\n7, 1\n", {7: MEBIBYTE}),
        ("12, 300\n12, [N/A]\n", {}),  # at least 300 is not a peak
        ("No running processes found\n", {}),
        ("[Unknown Error]\n", {}),
        ("12\n", {}),
    ],
)
def test_bytes_by_process(
    nvidia_smi: Callable[..., None], says: str, found: dict[int, int]
) -> None:
    nvidia_smi(says)
    assert gpu_memory() == found


def test_a_driver_in_trouble_tells_nothing(
    nvidia_smi: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    nvidia_smi("12, 300\n", 9)
    assert gpu_memory() == {}
    nvidia_smi("12, 300\n")
    monkeypatch.setattr("asr_bench.measuring.gpu_memory._TIME_LIMIT", 0.0001)
    assert gpu_memory() == {}


def test_no_nvidia_smi(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(FileNotFoundError):
        subprocess.run(["nvidia-smi"])
    assert gpu_memory() == {}


def test_a_column_only_where_an_engine_took_some(
    simulate: Callable[..., Results], environment: Environment
) -> None:
    run = simulate(environment, 1)
    first, second, *others = run.engines
    rows = tuple(dataclasses.replace(row, peak_gpu_memory=700_000_000) for row in second.latency)
    on_gpu = dataclasses.replace(second, latency=rows)
    run_on_gpu = dataclasses.replace(run, engines=(first, on_gpu, *others))
    without = {table.name: table for table in tables(run)}
    with_it = {table.name: table for table in tables(run_on_gpu)}
    for name in ("Engines", "Latency"):
        table = with_it[name]
        index = table.header.index("GPU peak MB")
        assert table.header[index - 1] == "peak MB"
        assert {row[0].text: row[index].text for row in table.rows} == {
            first.name: "",
            second.name: "700",
            others[0].name: "",
        }
        rest = [(*row[:index], *row[index + 1 :]) for row in table.rows]
        assert [*without[name].rows] == rest
        assert without[name].header == (*table.header[:index], *table.header[index + 1 :])
