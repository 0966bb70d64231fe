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

from asr_bench.errors import BenchError
from asr_bench.model_forms.latency import LatencySettings
from asr_export.verification.probe import probe_signal
from asr_runtime.errors import ModelFileError
from asr_runtime.inference.device import CPU_PROVIDER, quiet_options
from asr_runtime.inference.session import load_session
from asr_runtime.model_file.contract import INPUT_LENGTHS, INPUT_VALUES, LOG_PROBS, OUTPUT_LENGTHS
from asr_runtime.model_file.model_bytes import read_model_bytes

_KERNEL = "_kernel_time"


@dataclass(frozen=True)
class OperatorTime:
    """All nodes of one operator.

    Attributes:
        operator: its name; after ONNX Runtime's fusions, so other ones than the file's are there.
        nodes: how many a run.
        seconds: of each run, all nodes together.
    """

    operator: str
    nodes: int
    seconds: tuple[float, ...]

    @property
    def median(self) -> float:
        """Seconds."""
        return float(np.median(self.seconds))


def profile_operators(path: Path, settings: LatencySettings) -> tuple[OperatorTime, ...]:
    """The operators of an ONNX file on one utterance, the most expensive one first.

    Args:
        path: an exported ``.onnx`` or ``.ort`` file; run on the CPU as the runtime does.
        settings: of one duration and one number of threads.

    Raises:
        BenchError: the file is no model that the runtime could use.
    """
    (duration,), (threads,) = settings.durations, settings.threads
    try:
        # All that can be wrong with a file has its message there; a session with a profile of its
        # own is not the runtime's.
        load_session(path, device="cpu", threads=threads)
        content = read_model_bytes(path)
    except ModelFileError as error:
        raise BenchError(str(error)) from None
    signal = probe_signal(duration, seed=0)[None, :]
    feeds = {INPUT_VALUES: signal, INPUT_LENGTHS: np.array([signal.shape[1]], np.int64)}
    with tempfile.TemporaryDirectory(prefix="asr-bench-") as folder:
        options = quiet_options(onnxruntime, threads)
        options.enable_profiling = True
        options.profile_file_prefix = str(Path(folder) / "profile")
        session = onnxruntime.InferenceSession(content, options, providers=[CPU_PROVIDER])
        for _ in range(settings.warmup + settings.rounds):
            session.run([LOG_PROBS, OUTPUT_LENGTHS], feeds)
        events = json.loads(Path(session.end_profiling()).read_text(encoding="utf-8"))
    return _by_operator(events, settings.rounds)


def _by_operator(events: Sequence[Mapping[str, Any]], rounds: int) -> tuple[OperatorTime, ...]:
    runs = [event for event in events if event["name"] == "model_run"]
    begins = sorted(int(event["ts"]) for event in runs)[-rounds:]
    seconds: dict[str, Counter[int]] = {}
    nodes: Counter[str] = Counter()
    for event in events:
        if event.get("cat") != "Node" or not event["name"].endswith(_KERNEL):
            continue
        number = int(np.searchsorted(begins, event["ts"], side="right")) - 1
        if number < 0:  # warm-up
            continue
        operator = event["args"]["op_name"]
        nodes[operator] += 1
        seconds.setdefault(operator, Counter())[number] += event["dur"]
    found = [
        OperatorTime(
            operator,
            nodes[operator] // rounds,
            tuple(1e-6 * spent[number] for number in range(rounds)),
        )
        for operator, spent in seconds.items()
    ]
    return tuple(sorted(found, key=lambda one: -one.median))
