"""Rare names in sentences, spoken by synthetic voices."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from asr_train.synthesis.engines import Engine, load_engine

#: Surnames that no usual vocabulary has, of many languages, in letters a to z.
NAMES = (
    *("adeyemi", "aguirrezabal", "bhattacharya", "brzezinski", "czarnecki", "dombrowska"),
    *("etxeberria", "fitzsimmonds", "ganapathy", "gulbrandsen", "hakobyan", "hrushevska"),
    *("ihejirika", "jagannathan", "jovanovich", "kaczmarek", "kristoffersen", "lindqvist"),
    *("makarenko", "mbatha", "nakashima", "okonkwo", "olafsdottir", "panayotov"),
    *("papadakis", "quintanilla", "ramanujam", "rozhkova", "sakurazaka", "schwarzenbach"),
    *("talalaev", "tereshchenko", "uzunova", "vandermolen", "venkataraman", "wickramasinghe"),
    *("xenopoulos", "yokomizo", "zalewska", "zubiaurre"),
)
#: ``{}`` is the name's place: first, inside and last.
SENTENCES = (
    "please call {} before lunch",
    "{} will meet us at the station",
    "there is a letter for {}",
    "we told {} that the train was late",
)


@dataclass(frozen=True)
class SpokenName:
    """A recording.

    Attributes:
        name: What was said in it, among others.
        text: The whole sentence.
        voice: Whose it is.
        samples: Float32 [samples], 16 kHz.
    """

    name: str
    text: str
    voice: str
    samples: NDArray[np.float32]


def speak_names(
    names: Sequence[str], engines: Sequence[Engine], voices: int, seed: int
) -> Iterator[SpokenName]:
    """Each name in ``voices`` voices of each engine, each time in the next of the sentences."""
    for engine in engines:
        speak = load_engine(engine)
        for number, name in enumerate(names):
            for voice in range(voices):
                text = SENTENCES[(number + voice) % len(SENTENCES)].format(name)
                samples, speaker = speak(text, np.random.default_rng((seed, number, voice)))
                yield SpokenName(name, text, f"{engine.value} {speaker}", samples)
