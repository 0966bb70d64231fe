"""The interface of an engine under test: what an adapter says about it, and how it loads it.

A benchmark starts a process for every engine. That process imports the adapter, then the modules
that the adapter names, and nothing else. So an adapter imports nothing slow or large at its top.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from asr_runtime.model_file import contract

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from asr_bench.engines.timed_stream import TimedStream
    from asr_bench.results import Kind

    Samples = npt.NDArray[np.float32]
    LogProbs = npt.NDArray[np.float32]

SAMPLE_RATE = contract.SAMPLE_RATE
"""Sample rate of all audio that engines are given, in Hz."""


@dataclass(frozen=True)
class LoadedModel:
    """A model in memory. Audio is float32 [samples] at 16 kHz, mono, from -1 to 1.

    Attributes:
        transcribe: Samples to text.
        transcribe_batch: Several utterances, given together, to their texts; needed if the engine
            says ``takes_batches``.
        log_probs: Samples to natural log-probabilities, float32 [frames, labels], without decoding;
            needed if the engine says ``gives_log_probs``.
        stream: Samples, chunk and look-ahead in milliseconds to a timed stream; needed if the
            engine says ``streams``.
    """

    transcribe: Callable[[Samples], str]
    transcribe_batch: Callable[[Sequence[Samples]], list[str]] | None = None
    log_probs: Callable[[Samples], LogProbs] | None = None
    stream: Callable[[Samples, float, float], TimedStream] | None = None


@dataclass(frozen=True)
class Engine(ABC):
    """An engine with a model. Its fields, text or bool, are sent to the process as they are.

    Attributes:
        label: Name of the engine, without the model.
        kind: Whether it is this project's runtime, another way to run its weights, or a peer.
        distributions: Packages that it needs, its own first.
        modules: Modules that it imports; the first tells whether the engine is installed.
        threaded: Whether it can use more than one thread.
        takes_batches: Whether it takes several utterances at a time.
        gives_log_probs: Whether it gives the network's log-probabilities.
    """

    label: ClassVar[str] = ""
    kind: ClassVar[Kind] = "peer"
    distributions: ClassVar[tuple[str, ...]]
    modules: ClassVar[tuple[str, ...]]
    threaded: ClassVar[bool] = True
    takes_batches: ClassVar[bool] = False
    gives_log_probs: ClassVar[bool] = False

    @property
    def name(self) -> str:
        """Unique display name, including the model."""
        return f"{self.label} {self.model_name}".rstrip()

    @property
    @abstractmethod
    def model_name(self) -> str:
        """Name of the model alone."""

    @property
    def streams(self) -> bool:
        """Whether this engine, with this model, transcribes live."""
        return False

    def files(self) -> Sequence[Path]:
        """Files and folders that it loads."""
        return ()

    def unavailable_reason(self) -> str | None:
        """One line that says why it cannot run here; None if it can."""
        if not is_installed(self.modules[0].partition(".")[0]):
            package = self.distributions[0]
            return f"{package} is not installed (pip install {package})"
        missing = next((path for path in self.files() if not path.exists()), None)
        return None if missing is None else f"{missing} does not exist"

    def version(self) -> str:
        """Version of the engine's package; empty when it is not installed."""
        return installed_version(self.distributions[0])

    def import_packages(self) -> None:
        """Import everything that loading and transcribing need."""
        for module in self.modules:
            importlib.import_module(module)

    @abstractmethod
    def load(self, threads: int) -> LoadedModel:
        """Load the model for so many threads. Must not download anything."""

    def model_bytes(self) -> int | None:
        """Total size of ``files``; None if there are none."""
        paths = [inner for path in self.files() for inner in (path, *path.rglob("*"))]
        return sum(path.stat().st_size for path in paths if path.is_file()) or None


@dataclass(frozen=True)
class LocalModelPeer(Engine):
    """Another project's engine with a model file or folder on this machine.

    Attributes:
        path: Path of the model; empty when ``--peer-model`` names none.
    """

    path: str = ""

    @property
    def model_name(self) -> str:
        """Name of the file or folder."""
        return Path(self.path).name if self.path else ""

    def files(self) -> Sequence[Path]:
        """The file or folder."""
        return (Path(self.path),) if self.path else ()

    def unavailable_reason(self) -> str | None:
        """Say what is missing: the model, the package, or the file."""
        if not self.path:
            return f"no model was named (--peer-model {self.label}=PATH)"
        return super().unavailable_reason()


def is_installed(module: str) -> bool:
    """Return whether a top-level module can be found."""
    return importlib.util.find_spec(module) is not None


def installed_version(distribution: str) -> str:
    """Return the version of a distribution; empty when it is not installed."""
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return ""


def to_pcm(samples: Samples) -> bytes:
    """Convert float32 [samples] to the 16-bit little-endian samples that engines in C take."""
    import numpy as np

    return (np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes()


def describe(engine: Engine) -> dict[str, Any]:
    """Return the JSON values that ``build`` makes the engine of again."""
    kind = type(engine)
    return {"module": kind.__module__, "class": kind.__qualname__, "fields": asdict(engine)}


def build(description: dict[str, Any]) -> Engine:
    """Make the engine of a description by ``describe``."""
    module = importlib.import_module(description["module"])
    engine: Engine = getattr(module, description["class"])(**description["fields"])
    return engine
