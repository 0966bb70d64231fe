"""Vosk (Kaldi) with a model folder."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from asr_bench.engines.engine import SAMPLE_RATE, LoadedModel, LocalModelPeer, to_pcm

if TYPE_CHECKING:
    from asr_bench.engines.engine import Samples

#: Bytes of 16-bit samples given at a time, 0.25 s, as its examples do.
_BLOCK = 2 * SAMPLE_RATE // 4


@dataclass(frozen=True)
class Vosk(LocalModelPeer):
    """``path`` is the folder."""

    label = "vosk"
    distributions = ("vosk",)
    modules = ("vosk", "numpy")
    threaded = False

    def load(self, threads: int) -> LoadedModel:
        """Load the model; each recording has a recogniser of its own."""
        import vosk

        vosk.SetLogLevel(-1)
        model = vosk.Model(self.path)

        def transcribe(samples: Samples) -> str:
            recognizer = vosk.KaldiRecognizer(model, SAMPLE_RATE)
            pcm = to_pcm(samples)
            results = [
                recognizer.Result()
                for begin in range(0, len(pcm), _BLOCK)
                if recognizer.AcceptWaveform(pcm[begin : begin + _BLOCK])
            ]
            texts = [json.loads(result)["text"] for result in (*results, recognizer.FinalResult())]
            return " ".join(filter(None, texts))

        return LoadedModel(transcribe)
