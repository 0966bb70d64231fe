"""whisper.cpp with a ggml model file, through pywhispercpp or, without it, its command."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import wave
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from asr_bench.engines.engine import SAMPLE_RATE, LoadedModel, LocalModelPeer, is_installed, to_pcm

if TYPE_CHECKING:
    from asr_bench.engines.engine import Samples

_COMMAND = "whisper-cli"


@dataclass(frozen=True)
class WhisperCpp(LocalModelPeer):
    """``path`` is the file."""

    label = "whisper.cpp"
    distributions = ("pywhispercpp",)
    modules = ("pywhispercpp.model", "numpy")

    def unavailable_reason(self) -> str | None:
        """Say what is missing; the command will do as well as the library."""
        if self.path and not is_installed("pywhispercpp") and shutil.which(_COMMAND):
            return None if Path(self.path).is_file() else f"{self.path} does not exist"
        return super().unavailable_reason()

    def import_packages(self) -> None:
        """Import the library if it is there."""
        if is_installed("pywhispercpp"):
            super().import_packages()

    def load(self, threads: int) -> LoadedModel:
        """Load the model; the command, in place of the library, loads it for every recording."""
        if not is_installed("pywhispercpp"):
            return LoadedModel(lambda samples: self._transcribe_by_command(samples, threads))
        from pywhispercpp.model import Model

        quiet = {"print_progress": False, "print_realtime": False}
        model = Model(self.path, n_threads=threads, language="en", **quiet)
        return LoadedModel(
            lambda samples: " ".join(segment.text.strip() for segment in model.transcribe(samples))
        )

    def _transcribe_by_command(self, samples: Samples, threads: int) -> str:
        command = [_COMMAND, "-m", self.path, "-t", str(threads), "-l", "en", "-nt", "-np"]
        with tempfile.TemporaryDirectory(prefix="asr-bench-") as folder:
            path = Path(folder, "audio.wav")
            with wave.open(str(path), "wb") as file:
                file.setnchannels(1)
                file.setsampwidth(2)
                file.setframerate(SAMPLE_RATE)
                file.writeframes(to_pcm(samples))
            result = subprocess.run(
                [*command, str(path)], check=True, stdout=subprocess.PIPE, text=True
            )
        return " ".join(result.stdout.split())
