"""PocketSphinx with the US English model of its package."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from asr_bench.engines.engine import SAMPLE_RATE, Engine, to_pcm

if TYPE_CHECKING:
    from asr_bench.engines.engine import Samples


@dataclass(frozen=True)
class PocketSphinx(Engine):
    """With its defaults."""

    distributions = ("pocketsphinx",)
    modules = ("pocketsphinx", "numpy")
    threaded = False

    @property
    def name(self) -> str:
        """See ``Engine``."""
        return "pocketsphinx en-us"

    @property
    def model_name(self) -> str:
        """See ``Engine``."""
        return "en-us"

    def files(self) -> Sequence[Path]:
        """See ``Engine``."""
        package = importlib.util.find_spec("pocketsphinx")
        places = (package.submodule_search_locations or []) if package else []
        return [Path(place, "model", "en-us") for place in places]

    def load(self, threads: int) -> SphinxTranscriber:
        """See ``Engine``."""
        from pocketsphinx import Decoder

        return SphinxTranscriber(Decoder(samprate=SAMPLE_RATE, loglevel="FATAL"))


class SphinxTranscriber:
    """A ``Decoder``, each recording one utterance."""

    def __init__(self, decoder: Any) -> None:
        self._decoder = decoder

    def transcribe(self, samples: Samples) -> str:
        """See ``Transcriber``."""
        self._decoder.start_utt()
        self._decoder.process_raw(to_pcm(samples), full_utt=True)
        self._decoder.end_utt()
        hypothesis = self._decoder.hyp()
        return "" if hypothesis is None else str(hypothesis.hypstr)
