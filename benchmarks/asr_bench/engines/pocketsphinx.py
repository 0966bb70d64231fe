"""PocketSphinx with the US English model of its package."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from asr_bench.engines.engine import SAMPLE_RATE, Engine, LoadedModel, to_pcm

if TYPE_CHECKING:
    from asr_bench.engines.engine import Samples


@dataclass(frozen=True)
class PocketSphinx(Engine):
    """PocketSphinx with its defaults; each recording is one utterance."""

    label = "pocketsphinx"
    distributions = ("pocketsphinx",)
    modules = ("pocketsphinx", "numpy")
    threaded = False
    model_name = "en-us"

    def files(self) -> Sequence[Path]:
        """The model's folder in the package."""
        package = importlib.util.find_spec("pocketsphinx")
        places = (package.submodule_search_locations or []) if package else []
        return [Path(place, "model", "en-us") for place in places]

    def load(self, threads: int) -> LoadedModel:
        """Load the packaged model."""
        from pocketsphinx import Decoder

        decoder = Decoder(samprate=SAMPLE_RATE, loglevel="FATAL")

        def transcribe(samples: Samples) -> str:
            decoder.start_utt()
            decoder.process_raw(to_pcm(samples), full_utt=True)
            decoder.end_utt()
            hypothesis = decoder.hyp()
            return "" if hypothesis is None else str(hypothesis.hypstr)

        return LoadedModel(transcribe)
