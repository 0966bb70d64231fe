"""When a sentence of endless speech ends."""

import math
from dataclasses import dataclass

from asr_runtime.errors import DecoderError


@dataclass(frozen=True)
class EndpointConfig:
    """Settings of `SentenceDecoder`; either may be infinite.

    silence_seconds: a pause of this length ends a sentence.
    max_seconds: a sentence is never longer. From a third of this on, shorter and shorter pauses end
        it, from two thirds on any that is too long to be one within a word (0.3 s); without such a
        pause it ends at a word boundary.

    Raises DecoderError for a value out of its range.
    """

    silence_seconds: float = 0.8
    max_seconds: float = 30.0

    def __post_init__(self) -> None:
        # Also false of what is no number.
        if not 0.1 <= self.silence_seconds <= math.inf:
            raise DecoderError(f"silence_seconds must be 0.1 or more, not {self.silence_seconds!r}")
        if not 1.0 <= self.max_seconds <= math.inf:
            raise DecoderError(f"max_seconds must be 1 or more, not {self.max_seconds!r}")
