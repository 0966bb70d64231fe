"""The process that loads one engine and runs it on demand, and nothing else.

    python -m asr_bench.engines.worker DESCRIPTION THREADS

DESCRIPTION is an engine of ``describe`` as JSON. The process answers with one JSON object a line:
first the seconds of ``import`` and ``load``, then one for every question on standard input. Audio
is the path of a .npy file. An error ends the process with a traceback, whose last line on standard
error is the reason.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import sys
import time
from typing import TYPE_CHECKING, Any

from asr_bench.engines.engine import LoadedModel, build
from asr_bench.measuring.process_memory import peak_memory
from asr_bench.measuring.timing import wait_for_idle_threads

if TYPE_CHECKING:
    from collections.abc import Callable


def main() -> None:
    """Load the engine of the arguments and answer questions until standard input ends."""
    # Engines print, those in C as well: what they say must not come between the answers.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    engine, threads = build(json.loads(sys.argv[1])), int(sys.argv[2])

    begin = time.perf_counter()
    engine.import_packages()
    imported = time.perf_counter()
    model = engine.load(threads)
    loaded = time.perf_counter()
    _send(answers, {"import": imported - begin, "load": loaded - imported})

    first = True
    for line in sys.stdin:
        question = json.loads(line)
        if not first:  # nothing may delay a cold start
            wait_for_idle_threads()
        first = False
        _send(answers, _TASKS[question.pop("do")](model, **question))


def _transcribe(model: LoadedModel, audio: str) -> dict[str, Any]:
    samples = _read(audio)
    text, times = _timed(lambda: model.transcribe(samples))
    return {"text": text, **times}


def _transcribe_batch(model: LoadedModel, audio: str, size: int) -> dict[str, Any]:
    assert model.transcribe_batch is not None
    batch, items = model.transcribe_batch, [_read(audio)] * size
    texts, times = _timed(lambda: batch(items))
    return {"texts": texts, **times}


def _log_probs(model: LoadedModel, audio: str, out: str | None) -> dict[str, Any]:
    assert model.log_probs is not None
    run, samples = model.log_probs, _read(audio)
    values, times = _timed(lambda: run(samples))
    if out is not None:
        import numpy as np

        np.save(out, values)
    return times


def _stream(model: LoadedModel, audio: str, chunk_ms: float, lookahead_ms: float) -> dict[str, Any]:
    assert model.stream is not None
    return vars(model.stream(_read(audio), chunk_ms, lookahead_ms))


def _peak_memory(_: LoadedModel) -> dict[str, Any]:
    return {"peak_rss": peak_memory()}


_TASKS: dict[str, Callable[..., dict[str, Any]]] = {
    "transcribe": _transcribe,
    "transcribe_batch": _transcribe_batch,
    "log_probs": _log_probs,
    "stream": _stream,
    "peak_memory": _peak_memory,
}


def _read(audio: str) -> Any:
    import numpy as np

    return np.load(audio, allow_pickle=False)


def _timed(run: Callable[[], Any]) -> tuple[Any, dict[str, float]]:
    gc.disable()
    cpu, begin = _cpu_seconds(), time.perf_counter()
    result = run()
    times = {"wall": time.perf_counter() - begin, "cpu": _cpu_seconds() - cpu}
    gc.enable()
    return result, times


def _cpu_seconds() -> float:
    """Return the CPU time of all threads, and of the commands that an engine has run."""
    own = time.process_time()
    try:
        import resource
    except ImportError:  # Windows
        return own
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return own + children.ru_utime + children.ru_stime


def _send(answers: Any, answer: dict[str, Any]) -> None:
    print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):  # the other side says what was interrupted
        main()
