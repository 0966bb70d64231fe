"""asr-runtime, this project's own package for devices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from asr_bench.engines.engine import SAMPLE_RATE, Engine
from asr_bench.engines.onnx_runtime import cuda_obstacle, onnx_runtime_distribution

if TYPE_CHECKING:
    from asr_bench.engines.engine import Samples
    from asr_bench.results import Kind
    from asr_runtime import Recognizer


@dataclass(frozen=True)
class AsrRun(Engine):
    """A model file with one of the two decoders.

    Attributes:
        model: name of the weights.
        path: a ``.onnx`` or ``.ort`` file.
        precision: of its weights.
        decoder: greedy or beam, the latter with the packaged language model.
        streaming: whether the file can stream.
        device: cpu or cuda.
    """

    kind: ClassVar[Kind] = "runtime"
    distributions = ("asr-runtime", onnx_runtime_distribution())
    modules = ("asr_runtime.recognizer", "onnxruntime")
    takes_batches = True

    model: str
    path: str
    precision: str
    decoder: str
    streaming: bool = False
    device: str = "cpu"

    @property
    def name(self) -> str:
        """See ``Engine``."""
        device = "" if self.device == "cpu" else f", {self.device}"
        return f"asr-run {self.model} {self.precision}, {self.decoder}{device}"

    def obstacle(self) -> str | None:
        """See ``Engine``; what a build can do shows only when it is imported."""
        return cuda_obstacle(self.device) or super().obstacle()

    @property
    def model_name(self) -> str:
        """See ``Engine``."""
        return self.model

    @property
    def streams(self) -> bool:
        """See ``Engine``."""
        return self.streaming

    def files(self) -> Sequence[Path]:
        """See ``Engine``."""
        from asr_runtime.recognizer import DEFAULT_LANGUAGE_MODEL

        return (Path(self.path), *([DEFAULT_LANGUAGE_MODEL] if self.decoder == "beam" else []))

    def load(self, threads: int) -> RecognizerTranscriber:
        """See ``Engine``."""
        from asr_runtime.recognizer import Recognizer

        return RecognizerTranscriber(
            Recognizer.load(self.path, device=self.device, threads=threads, decoder=self.decoder)
        )


class RecognizerTranscriber:
    """A ``Recognizer``, with all that it can do."""

    def __init__(self, recognizer: Recognizer) -> None:
        self._recognizer = recognizer

    def transcribe(self, samples: Samples) -> str:
        """See ``Transcriber``."""
        return self._recognizer.transcribe(samples, SAMPLE_RATE).text

    def transcribe_batch(self, items: Sequence[Samples]) -> list[str]:
        """See ``BatchTranscriber``."""
        pairs = [(samples, SAMPLE_RATE) for samples in items]
        return [transcript.text for transcript in self._recognizer.transcribe_batch(pairs)]

    def stream(
        self, samples: Samples, chunk_ms: float, lookahead_ms: float
    ) -> tuple[list[float], float]:
        """See ``StreamTranscriber``."""
        from asr_bench.live.stream_recording import StreamSetting, stream_recording

        cost = stream_recording(self._recognizer, samples, StreamSetting(chunk_ms, lookahead_ms))
        return list(cost.chunk_seconds), cost.finish_seconds
