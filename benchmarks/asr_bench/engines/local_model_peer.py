"""What the adapters of engines have in common whose model the user names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from asr_bench.engines.engine import Engine


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
