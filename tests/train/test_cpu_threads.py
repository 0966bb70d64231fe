"""The trainer and the benchmark take as many threads as there are CPUs for the process."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from asr_bench import options
from asr_bench.errors import BenchError
from asr_bench.runs import presets, run_command
from asr_train.command import run_command as command
from asr_train.data import audio_check, audio_store
from asr_train.data.manifest import read_manifest

CPUS = 3


@pytest.fixture
def cpus(monkeypatch):
    """A process that may use three of sixteen CPUs."""
    monkeypatch.setattr(os, "cpu_count", lambda: 16)
    for module in (audio_check, audio_store, command, options, presets, run_command):
        monkeypatch.setattr(module, "usable_cpus", lambda: CPUS)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)


@pytest.fixture
def pools(monkeypatch):
    """How many threads each pool was made with."""
    made = []

    class Pool(ThreadPoolExecutor):
        def __init__(self, max_workers):
            made.append(max_workers)
            super().__init__(max_workers)

    for module in (audio_check, audio_store):
        monkeypatch.setattr(module, "ThreadPoolExecutor", Pool)
    return made


def test_reading_of_audio(cpus, pools, write_manifest, tmp_path):
    rows = read_manifest(write_manifest(["hello", "world"]))
    audio_check.check_audio(rows)
    audio_store.CachedStore(rows, tmp_path / "cache")
    assert pools == [CPUS, CPUS]


def test_pytorch_in_every_command(cpus, monkeypatch):
    seen = []
    with pytest.raises(SystemExit):
        command.run_command(lambda: seen.append(os.environ["OMP_NUM_THREADS"]), "asr-train")
    monkeypatch.setenv("OMP_NUM_THREADS", "7")  # what somebody asks for stays
    with pytest.raises(SystemExit):
        command.run_command(lambda: seen.append(os.environ["OMP_NUM_THREADS"]), "asr-train")
    assert seen == [str(CPUS), "7"]


def test_the_benchmark_counts_the_same_cpus(cpus):
    options.check_numbers([1.0], [1, CPUS], 1, 0)
    with pytest.raises(BenchError, match="threads must be 1 to 3, the CPUs of this process"):
        options.check_numbers([1.0], [CPUS + 1], 1, 0)
    assert run_command.default_threads(CPUS) == [1, 2, 3]
