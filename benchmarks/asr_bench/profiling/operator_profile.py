"""Where a model's time goes, operator by operator, as ONNX Runtime's own profiler has it."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from asr_bench.engines.ctc_model import feeds
from asr_bench.errors import BenchError
from asr_bench.exporting import probe_signal
from asr_runtime.errors import ModelFileError
from asr_runtime.inference.device import CPU_PROVIDER, quiet_options
from asr_runtime.inference.session import load_session
from asr_runtime.model_file.contract import LOG_PROBS, OUTPUT_LENGTHS
from asr_runtime.model_file.model_bytes import read_model_bytes

_KERNEL = "_kernel_time"


@dataclass(frozen=True)
class OperatorTime:
    """All nodes of one operator.

    Attributes:
        operator: Its name after ONNX Runtime's fusions, so some are not in the file.
        nodes: Number of nodes in a run.
        seconds: Time of each run, all nodes together.
    """

    operator: str
    nodes: int
    seconds: tuple[float, ...]

    @property
    def median(self) -> float:
        """Median over the runs, in seconds."""
        return float(np.median(self.seconds))


def profile_operators(
    path: Path, duration: float, threads: int, rounds: int, warmup: int
) -> tuple[OperatorTime, ...]:
    """Time the operators of an ONNX file on one utterance.

    Args:
        path: An exported ``.onnx`` or ``.ort`` file; run on the CPU as the runtime does.
        duration: Length of the audio in seconds.
        threads: CPU threads.
        rounds: Timed runs.
        warmup: Runs before them.

    Returns:
        Operators, the most expensive one first.

    Raises:
        BenchError: The file is no model that the runtime could use.
    """
    try:
        # All that can be wrong with a file has its message there; a session with a profile of its
        # own is not the runtime's.
        load_session(path, device="cpu", threads=threads)
        content = read_model_bytes(path)
    except ModelFileError as error:
        raise BenchError(str(error)) from None
    inputs = feeds(probe_signal(duration))
    with tempfile.TemporaryDirectory(prefix="asr-bench-") as folder:
        options = quiet_options(onnxruntime, threads)
        options.enable_profiling = True
        options.profile_file_prefix = str(Path(folder) / "profile")
        session = onnxruntime.InferenceSession(content, options, providers=[CPU_PROVIDER])
        for _ in range(warmup + rounds):
            session.run([LOG_PROBS, OUTPUT_LENGTHS], inputs)
        events = json.loads(Path(session.end_profiling()).read_text(encoding="utf-8"))
    return _by_operator(events, rounds)


def _by_operator(events: Sequence[Mapping[str, Any]], rounds: int) -> tuple[OperatorTime, ...]:
    runs = [event for event in events if event["name"] == "model_run"]
    begins = sorted(int(event["ts"]) for event in runs)[-rounds:]
    seconds: dict[str, Counter[int]] = {}
    nodes: Counter[str] = Counter()
    for event in events:
        if event.get("cat") != "Node" or not event["name"].endswith(_KERNEL):
            continue
        index = int(np.searchsorted(begins, event["ts"], side="right")) - 1
        if index < 0:  # warm-up
            continue
        operator = event["args"]["op_name"]
        nodes[operator] += 1
        seconds.setdefault(operator, Counter())[index] += event["dur"]
    times = [
        OperatorTime(
            operator,
            nodes[operator] // rounds,
            tuple(1e-6 * spent[index] for index in range(rounds)),
        )
        for operator, spent in seconds.items()
    ]
    return tuple(sorted(times, key=lambda one: -one.median))
