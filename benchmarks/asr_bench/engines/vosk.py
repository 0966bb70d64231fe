"""Vosk (Kaldi) with a model folder."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from asr_bench.engines.engine import SAMPLE_RATE, to_pcm
from asr_bench.engines.local_peer import LocalPeer

if TYPE_CHECKING:
    from asr_bench.engines.engine import Samples

#: Bytes of 16-bit samples given at a time, 0.25 s, as its examples do.
_PIECE = 2 * SAMPLE_RATE // 4


@dataclass(frozen=True)
class Vosk(LocalPeer):
    """``path`` is the folder."""

    label = "vosk"
    distributions = ("vosk",)
    modules = ("vosk", "numpy")
    threaded = False

    def load(self, threads: int) -> VoskTranscriber:
        """See ``Engine``."""
        import vosk

        vosk.SetLogLevel(-1)
        return VoskTranscriber(vosk.Model(self.path), vosk.KaldiRecognizer)


class VoskTranscriber:
    """A ``Model``; each recording has a recogniser of its own."""

    def __init__(self, model: Any, recognizer: Any) -> None:
        self._model = model
        self._recognizer = recognizer

    def transcribe(self, samples: Samples) -> str:
        """See ``Transcriber``."""
        recognizer = self._recognizer(self._model, SAMPLE_RATE)
        pcm = to_pcm(samples)
        results = [
            recognizer.Result()
            for begin in range(0, len(pcm), _PIECE)
            if recognizer.AcceptWaveform(pcm[begin : begin + _PIECE])
        ]
        texts = [json.loads(result)["text"] for result in (*results, recognizer.FinalResult())]
        return " ".join(filter(None, texts))
