"""sherpa-onnx with a model folder: a transducer, a Whisper or a CTC model."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from asr_bench.engines.engine import SAMPLE_RATE
from asr_bench.engines.local_peer import LocalPeer

if TYPE_CHECKING:
    from asr_bench.engines.engine import Samples


@dataclass(frozen=True)
class SherpaOnnx(LocalPeer):
    """``path`` is the folder, as its authors pack it; int8 files are taken where there are any."""

    label = "sherpa-onnx"
    distributions = ("sherpa-onnx",)
    modules = ("sherpa_onnx", "numpy")

    def load(self, threads: int) -> SherpaTranscriber:
        """See ``Engine``."""
        import sherpa_onnx

        make: Any = sherpa_onnx.OfflineRecognizer
        encoder, decoder, joiner = (self._file(f"*{part}*.onnx") for part in _PARTS)
        shared = {"tokens": self._file("*tokens.txt"), "num_threads": threads}
        if joiner:
            parts = {"encoder": encoder, "decoder": decoder, "joiner": joiner}
            nemo = {"model_type": "nemo_transducer"} if "nemo" in self.model_name else {}
            return SherpaTranscriber(make.from_transducer(**parts, **shared, **nemo))
        if encoder:
            return SherpaTranscriber(make.from_whisper(encoder=encoder, decoder=decoder, **shared))
        model = self._file("*.onnx")
        if not model:
            raise FileNotFoundError(f"there is no .onnx file in {self.path}")
        load = make.from_zipformer_ctc if "zipformer" in self.model_name else make.from_nemo_ctc
        return SherpaTranscriber(load(model=model, **shared))

    def _file(self, pattern: str) -> str:
        found = sorted(Path(self.path).glob(pattern), key=lambda path: "int8" not in path.name)
        return str(found[0]) if found else ""


_PARTS = ("encoder", "decoder", "joiner")


class SherpaTranscriber:
    """An ``OfflineRecognizer``."""

    def __init__(self, recognizer: Any) -> None:
        self._recognizer = recognizer

    def transcribe(self, samples: Samples) -> str:
        """See ``Transcriber``."""
        stream = self._recognizer.create_stream()
        stream.accept_waveform(SAMPLE_RATE, samples)
        self._recognizer.decode_stream(stream)
        return str(stream.result.text)
