"""What an adapter of an engine has to say and do.

A benchmark starts a process for every engine; that process imports the adapter, then what the
adapter names, and nothing else. So an adapter's file imports nothing at its top that takes time or
memory.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from asr_runtime.model_file import contract

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from asr_bench.results import Kind

    Samples = npt.NDArray[np.float32]

SAMPLE_RATE = contract.SAMPLE_RATE
"""Hz, of all samples that engines are given."""


class Transcriber(Protocol):
    """A loaded model."""

    def transcribe(self, samples: Samples) -> str:
        """The text of float32 [samples], 16 kHz mono, -1…1."""
        ...


class BatchTranscriber(Transcriber, Protocol):
    """Of an engine with ``takes_batches``."""

    def transcribe_batch(self, items: Sequence[Samples]) -> list[str]:
        """The texts of several utterances given together."""
        ...


class StreamTranscriber(Transcriber, Protocol):
    """Of an engine with ``streams``."""

    def stream(
        self, samples: Samples, chunk_ms: float, lookahead_ms: float
    ) -> tuple[list[float], float]:
        """Seconds of computing for each chunk, and from the end to the last text."""
        ...


@dataclass(frozen=True)
class Engine(ABC):
    """An engine with a model; its fields, all text or bool, go to the process as they are.

    Attributes:
        kind: see ``EngineResult``.
        distributions: the packages it needs, its own first.
        modules: what to import of them, the one that tells whether they are there first.
        threaded: whether it takes more than one thread.
        takes_batches: see ``BatchTranscriber``.
        streams: see ``StreamTranscriber``.
    """

    kind: ClassVar[Kind] = "peer"
    distributions: ClassVar[tuple[str, ...]]
    modules: ClassVar[tuple[str, ...]]
    threaded: ClassVar[bool] = True
    takes_batches: ClassVar[bool] = False

    @property
    @abstractmethod
    def name(self) -> str:
        """For tables, with the model in it: unlike any other's."""

    @property
    @abstractmethod
    def model_name(self) -> str:
        """Of the model alone."""

    @property
    def streams(self) -> bool:
        """Whether this engine, with this model, transcribes live."""
        return False

    def files(self) -> Sequence[Path]:
        """Everything it loads; of a folder, all in it."""
        return ()

    def obstacle(self) -> str | None:
        """Why it cannot run here, in a line; None if it can. Imports none of its packages."""
        if not is_installed(self.modules[0].partition(".")[0]):
            package = self.distributions[0]
            return f"{package} is not installed (pip install {package})"
        missing = next((path for path in self.files() if not path.exists()), None)
        return None if missing is None else f"{missing} does not exist"

    def version(self) -> str:
        """Of the engine, not of the model; empty when it is not installed."""
        return installed_version(self.distributions[0])

    def import_packages(self) -> None:
        """Import everything that ``load`` and transcribing need."""
        for module in self.modules:
            importlib.import_module(module)

    @abstractmethod
    def load(self, threads: int) -> Transcriber:
        """Load the model; from the network nothing may come."""

    def model_bytes(self) -> int | None:
        """Size of ``files``; None if there are none."""
        paths = [inner for path in self.files() for inner in (path, *path.rglob("*"))]
        return sum(path.stat().st_size for path in paths if path.is_file()) or None


def is_installed(module: str) -> bool:
    """Whether a top-level module can be found."""
    return importlib.util.find_spec(module) is not None


def installed_version(distribution: str) -> str:
    """Empty when it is not installed."""
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return ""


def to_pcm(samples: Samples) -> bytes:
    """16-bit samples, as engines in C take them."""
    import numpy as np

    return (np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes()


def describe(engine: Engine) -> dict[str, Any]:
    """What ``build`` needs, as JSON values."""
    kind = type(engine)
    return {"module": kind.__module__, "class": kind.__qualname__, "fields": asdict(engine)}


def build(description: dict[str, Any]) -> Engine:
    """The engine of ``describe``."""
    module = importlib.import_module(description["module"])
    engine: Engine = getattr(module, description["class"])(**description["fields"])
    return engine
