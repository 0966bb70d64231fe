"""whisper.cpp with a ggml model file, through pywhispercpp or, without it, its command."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import wave
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from asr_bench.engines.engine import SAMPLE_RATE, Transcriber, is_installed, to_pcm
from asr_bench.engines.local_peer import LocalPeer

if TYPE_CHECKING:
    from asr_bench.engines.engine import Samples

_COMMAND = "whisper-cli"


@dataclass(frozen=True)
class WhisperCpp(LocalPeer):
    """``path`` is the file."""

    label = "whisper.cpp"
    distributions = ("pywhispercpp",)
    modules = ("pywhispercpp.model", "numpy")

    def obstacle(self) -> str | None:
        """See ``Engine``."""
        if self.path and not is_installed("pywhispercpp") and shutil.which(_COMMAND):
            return None if Path(self.path).is_file() else f"{self.path} does not exist"
        return super().obstacle()

    def import_packages(self) -> None:
        """See ``Engine``."""
        if is_installed("pywhispercpp"):
            super().import_packages()

    def load(self, threads: int) -> Transcriber:
        """See ``Engine``."""
        if not is_installed("pywhispercpp"):
            return CommandTranscriber(self.path, threads)
        from pywhispercpp.model import Model

        quiet = {"print_progress": False, "print_realtime": False}
        return LibraryTranscriber(Model(self.path, n_threads=threads, language="en", **quiet))


class LibraryTranscriber:
    """A ``Model`` of pywhispercpp."""

    def __init__(self, model: Any) -> None:
        self._model = model

    def transcribe(self, samples: Samples) -> str:
        """See ``Transcriber``."""
        return " ".join(segment.text.strip() for segment in self._model.transcribe(samples))


class CommandTranscriber:
    """The command, which loads the model anew for every recording."""

    def __init__(self, model: str, threads: int) -> None:
        self._arguments = [_COMMAND, "-m", model, "-t", str(threads), "-l", "en", "-nt", "-np"]

    def transcribe(self, samples: Samples) -> str:
        """See ``Transcriber``."""
        with tempfile.TemporaryDirectory(prefix="asr-bench-") as folder:
            path = Path(folder, "audio.wav")
            with wave.open(str(path), "wb") as file:
                file.setnchannels(1)
                file.setsampwidth(2)
                file.setframerate(SAMPLE_RATE)
                file.writeframes(to_pcm(samples))
            result = subprocess.run(
                [*self._arguments, str(path)], check=True, stdout=subprocess.PIPE, text=True
            )
        return " ".join(result.stdout.split())
