"""A process that loads one form of a model and runs it on demand, and nothing else.

What one form takes of memory, and how fast it is in a process that no other library has touched,
shows only there. So the part that runs in the process imports what a device would import: numpy
and the engine of the file's form.

    python -m asr_bench.form_process MODEL SIGNAL.npy

loads, answers ``ready``, and then answers every line on standard input with one on standard output:
``run`` with the seconds that one run took, ``memory`` with the process's peak memory in bytes, 0
where the system does not tell. It ends with its standard input.
"""

from __future__ import annotations

import contextlib
import gc
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt

from asr_bench.errors import BenchError

Floats = npt.NDArray[np.float32]
Run = Callable[[Floats], object]


class FormProcess:
    """The process, on one thread, from the side that asks; a context manager that ends it.

    Raises:
        BenchError: it ended too early. What it said is on standard error.
    """

    def __init__(self, model: Path, signal: Path) -> None:
        self._model = model
        # Kept even in engines that read their number of threads from here alone.
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "asr_bench.form_process", str(model), str(signal)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        try:
            self._answer()  # ready
        except BaseException:
            self.close()
            raise

    def run(self) -> float:
        """Seconds of one run."""
        return float(self._ask("run"))

    def peak_memory(self) -> int | None:
        """Bytes resident at most since the process began; None where the system does not tell."""
        return int(self._ask("memory")) or None

    def close(self) -> None:
        """End the process."""
        with contextlib.suppress(BrokenPipeError):
            self._stdin.close()
        self._stdout.close()
        self._process.wait()

    def __enter__(self) -> FormProcess:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _ask(self, question: str) -> str:
        with contextlib.suppress(BrokenPipeError):  # then there is no answer either
            self._stdin.write(f"{question}\n")
            self._stdin.flush()
        return self._answer()

    def _answer(self) -> str:
        line: str = self._stdout.readline()
        if not line:
            code = self._process.wait()
            reason = f"was killed by signal {-code}" if code < 0 else f"ended with code {code}"
            hint = "; does the memory suffice for this duration?" if code < 0 else ""
            raise BenchError(f"the process that runs {self._model.name} {reason}{hint}")
        return line.strip()

    @property
    def _stdin(self) -> Any:
        return self._process.stdin

    @property
    def _stdout(self) -> Any:
        return self._process.stdout


def load_onnx_runtime(model: Path) -> Run:
    """As ``asr-run`` does it."""
    from asr_runtime.session import load_session

    session = load_session(model, device="cpu", threads=1)
    return lambda signal: session.run([signal])


def load_torchscript(model: Path) -> Run:
    """As a Python program without this toolkit does it."""
    import torch

    module = torch.jit.load(model, map_location="cpu").eval()  # type: ignore[no-untyped-call]
    return _on_one_thread(module)


def load_torch_export(model: Path) -> Run:
    """Checked first, as this toolkit does it."""
    from asr_export.pt2_file import load_pt2

    return _on_one_thread(load_pt2(model)[0])


def _on_one_thread(module: Callable[..., object]) -> Run:
    import torch

    torch.set_num_threads(1)

    @torch.inference_mode()
    def run(signal: Floats) -> object:
        return module(torch.from_numpy(signal[None, :]), torch.tensor([signal.size]))

    return run


#: By the file's suffix.
LOADERS: dict[str, Callable[[Path], Run]] = {
    ".onnx": load_onnx_runtime,
    ".ort": load_onnx_runtime,
    ".pt": load_torchscript,
    ".pt2": load_torch_export,
}


def peak_memory() -> int:
    """Of this process, in bytes; 0 where the system does not tell.

    On Linux not from ``getrusage``: that counts what the parent held when it started the process.
    """
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    try:
        import resource
    except ImportError:  # Windows
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak


def main() -> None:
    """The process."""
    answers, sys.stdout = sys.stdout, sys.stderr  # engines may print
    model = Path(sys.argv[1])
    signal: Floats = np.load(sys.argv[2], allow_pickle=False)
    run = LOADERS[model.suffix](model)
    gc.disable()
    print("ready", file=answers, flush=True)
    for question in sys.stdin:
        if question.strip() == "run":
            start = time.perf_counter()
            run(signal)
            answer: float = time.perf_counter() - start
        else:
            answer = peak_memory()
        print(answer, file=answers, flush=True)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):  # the other side says what was interrupted
        main()
