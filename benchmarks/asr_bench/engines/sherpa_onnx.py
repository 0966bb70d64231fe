"""sherpa-onnx with a model folder: a transducer, a Whisper or a CTC model."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from asr_bench.engines.engine import SAMPLE_RATE, LoadedModel, LocalModelPeer

if TYPE_CHECKING:
    from asr_bench.engines.engine import Samples

_PARTS = ("encoder", "decoder", "joiner")


@dataclass(frozen=True)
class SherpaOnnx(LocalModelPeer):
    """``path`` is the folder, as its authors pack it; int8 files are taken where there are any."""

    label = "sherpa-onnx"
    distributions = ("sherpa-onnx",)
    modules = ("sherpa_onnx", "numpy")

    def load(self, threads: int) -> LoadedModel:
        """Load the kind of model that the files' names tell."""
        recognizer = self._recognizer(threads)

        def transcribe(samples: Samples) -> str:
            stream = recognizer.create_stream()
            stream.accept_waveform(SAMPLE_RATE, samples)
            recognizer.decode_stream(stream)
            return str(stream.result.text)

        return LoadedModel(transcribe)

    def _recognizer(self, threads: int) -> Any:
        import sherpa_onnx

        make: Any = sherpa_onnx.OfflineRecognizer
        encoder, decoder, joiner = (self._file(f"*{part}*.onnx") for part in _PARTS)
        shared = {"tokens": self._file("*tokens.txt"), "num_threads": threads}
        if joiner:
            parts = {"encoder": encoder, "decoder": decoder, "joiner": joiner}
            nemo = {"model_type": "nemo_transducer"} if "nemo" in self.model_name else {}
            return make.from_transducer(**parts, **shared, **nemo)
        if encoder:
            return make.from_whisper(encoder=encoder, decoder=decoder, **shared)
        model = self._file("*.onnx")
        if not model:
            raise FileNotFoundError(f"there is no .onnx file in {self.path}")
        load = make.from_zipformer_ctc if "zipformer" in self.model_name else make.from_nemo_ctc
        return load(model=model, **shared)

    def _file(self, pattern: str) -> str:
        files = sorted(Path(self.path).glob(pattern), key=lambda path: "int8" not in path.name)
        return str(files[0]) if files else ""
