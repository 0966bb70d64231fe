"""asr-runtime, this project's own package for devices: whole, and its session alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from asr_bench.engines.backend import CTC_MODEL, Backend
from asr_bench.engines.engine import SAMPLE_RATE, Engine, LoadedModel
from asr_bench.engines.onnx_runtime import cuda_missing, onnx_runtime_distribution
from asr_bench.engines.timed_stream import stream_recording

if TYPE_CHECKING:
    from asr_bench.results import Kind


@dataclass(frozen=True)
class AsrRun(Engine):
    """A model file with one of the two decoders.

    Attributes:
        model: Name of the weights.
        path: A ``.onnx`` or ``.ort`` file.
        precision: Precision of its weights.
        decoder: ``greedy``, or ``beam`` with the packaged language model.
        streaming: Whether the file can stream.
        device: ``cpu`` or ``cuda``.
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
        """Weights, precision, decoder and, if it is not the CPU, device."""
        device = "" if self.device == "cpu" else f", {self.device}"
        return f"asr-run {self.model} {self.precision}, {self.decoder}{device}"

    @property
    def model_name(self) -> str:
        """Name of the weights."""
        return self.model

    @property
    def streams(self) -> bool:
        """Whether the file can stream."""
        return self.streaming

    def unavailable_reason(self) -> str | None:
        """Say what is missing; what a build of ONNX Runtime can do shows only in the module."""
        return cuda_missing(self.device) or super().unavailable_reason()

    def files(self) -> Sequence[Path]:
        """The model, and the language model of the beam search."""
        from asr_runtime.recognizer import DEFAULT_LANGUAGE_MODEL

        return (Path(self.path), *([DEFAULT_LANGUAGE_MODEL] if self.decoder == "beam" else []))

    def load(self, threads: int) -> LoadedModel:
        """Load it as a program with asr-runtime does."""
        from asr_runtime.recognizer import Recognizer

        recognizer = Recognizer.load(
            self.path, device=self.device, threads=threads, decoder=self.decoder
        )
        return LoadedModel(
            transcribe=lambda samples: recognizer.transcribe(samples, SAMPLE_RATE).text,
            transcribe_batch=lambda items: [
                transcript.text
                for transcript in recognizer.transcribe_batch(
                    [(samples, SAMPLE_RATE) for samples in items]
                )
            ],
            stream=lambda samples, chunk_ms, lookahead_ms: stream_recording(
                recognizer, samples, chunk_ms, lookahead_ms
            ),
        )


@dataclass(frozen=True)
class AsrSession(Backend):
    """The network in the session that asr-runtime opens, without its decoder.

    ``path`` is a ``.onnx`` or ``.ort`` file; its suffix is the name of the format.
    """

    distributions = ("asr-runtime", onnx_runtime_distribution())
    modules = ("asr_runtime.inference.session", "onnxruntime", CTC_MODEL)

    @property
    def name(self) -> str:
        """Format, weights and precision."""
        return f"{Path(self.path).suffix[1:].upper()} {self.model} {self.precision}"

    def load(self, threads: int) -> LoadedModel:
        """Open the session as asr-run does."""
        from asr_bench.engines.ctc_model import decode
        from asr_runtime.inference.session import load_session

        session = load_session(Path(self.path), device="cpu", threads=threads)
        return LoadedModel(
            transcribe=lambda samples: decode(session.run([samples])[0]),
            log_probs=lambda samples: session.run([samples])[0],
        )
