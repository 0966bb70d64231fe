"""A process that loads one form of a model and runs it on demand, and nothing else.

What one form takes of memory, and how fast it is in a process that no other library has touched,
shows only there. So the part that runs in the process imports what a device would import: numpy
and the engine of the file's form.

    python -m asr_bench.model_forms.form_process MODEL SIGNAL.npy

loads, answers ``ready``, and then answers every line on standard input with one on standard output:
``run`` with the seconds that one run took, ``memory`` with the process's peak memory in bytes, 0
where the system does not tell. It ends with its standard input.
"""

from __future__ import annotations

import contextlib
import gc
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

import numpy as np
import numpy.typing as npt

from asr_bench.measuring.line_process import LineProcess
from asr_bench.measuring.process_memory import peak_memory

Floats = npt.NDArray[np.float32]
Run = Callable[[Floats], object]


class FormProcess:
    """The process, on one thread, from the side that asks; a context manager that ends it.

    Raises:
        BenchError: it ended too early. What it said is on standard error.
    """

    def __init__(self, model: Path, signal: Path) -> None:
        self._process = LineProcess(
            model.name,
            ["-m", "asr_bench.model_forms.form_process", str(model), str(signal)],
            # Kept even in engines that read their number of threads from here alone.
            environment={"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"},
        )
        try:
            self._process.answer()  # ready
        except BaseException:
            self.close()
            raise

    def run(self) -> float:
        """Seconds of one run."""
        return float(self._process.ask("run"))

    def peak_memory(self) -> int | None:
        """Bytes resident at most since the process began; None where the system does not tell."""
        return int(self._process.ask("memory")) or None

    def close(self) -> None:
        """End the process."""
        self._process.close()

    def __enter__(self) -> FormProcess:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def load_onnx_runtime(model: Path) -> Run:
    """As ``asr-run`` does it."""
    from asr_runtime.inference.session import load_session

    session = load_session(model, device="cpu", threads=1)
    return lambda signal: session.run([signal])


def load_torchscript(model: Path) -> Run:
    """As a Python program without this toolkit does it."""
    import torch

    from asr_bench.engines.torch_module import on_threads

    module = torch.jit.load(model, map_location="cpu").eval()  # type: ignore[no-untyped-call]
    return on_threads(module, 1)


def load_torch_export(model: Path) -> Run:
    """Checked first, as this toolkit does it."""
    from asr_bench.engines.torch_module import on_threads
    from asr_export.loading.pt2_file import load_pt2

    return on_threads(load_pt2(model)[0], 1)


#: By the file's suffix.
LOADERS: dict[str, Callable[[Path], Run]] = {
    ".onnx": load_onnx_runtime,
    ".ort": load_onnx_runtime,
    ".pt": load_torchscript,
    ".pt2": load_torch_export,
}


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
