"""Where one sentence ends and the next begins, by the silence between them."""

from __future__ import annotations

import math
from dataclasses import dataclass

from asr_runtime.errors import DecoderError

# No pause within a word was longer in the development set (0.27 s); so a shorter one says nothing.
_LEAST_SECONDS = 0.3
_FOREVER = 1 << 60


@dataclass(frozen=True)
class EndpointConfig:
    """When a sentence of endless speech ends; either value may be infinite.

    Attributes:
        silence_seconds: A pause of this length ends a sentence.
        max_seconds: A sentence is never longer. From a third of this on, shorter and shorter pauses
            end it, from two thirds on any that is too long to be one within a word (0.3 s); without
            such a pause it ends at a word boundary.

    Raises:
        DecoderError: A value is out of its range.
    """

    silence_seconds: float = 0.8
    max_seconds: float = 30.0

    def __post_init__(self) -> None:
        """Check the values."""
        # Also false of what is no number.
        if not 0.1 <= self.silence_seconds <= math.inf:
            raise DecoderError(f"silence_seconds must be 0.1 or more, not {self.silence_seconds!r}")
        if not 1.0 <= self.max_seconds <= math.inf:
            raise DecoderError(f"max_seconds must be 1 or more, not {self.max_seconds!r}")


class Endpointer:
    """Follows the silence in a sentence, frame by frame.

    The second half of a pause that may become the sentence's end is to wait (`waiting`) until it is
    clear whether it belongs to this sentence or to the next.
    """

    def __init__(self, config: EndpointConfig, seconds_per_frame: float) -> None:
        """Begin a sentence.

        Args:
            config: What ends it.
            seconds_per_frame: How far apart frames are.
        """

        def frames(seconds: float) -> int:
            return round(min(seconds / seconds_per_frame, _FOREVER))

        self._longest = max(1, frames(config.max_seconds))
        self._silence = max(1, min(frames(config.silence_seconds), self._longest))
        self._least = min(self._silence, max(1, frames(_LEAST_SECONDS)))
        self.restart()

    def restart(self, length: int = 0, silence: int = 0) -> None:
        """Begin another sentence.

        Args:
            length: Frames that it has already.
            silence: How many of them, at their end, are silent.
        """
        self._length = length
        self._run = silence
        self._needed = self._needed_at(length)

    def add(self, silent: bool) -> None:
        """Follow one more frame."""
        self._length += 1
        if not silent:
            self._run = 0
            return
        if not self._run:
            self._needed = self._needed_at(self._length)
        self._run += 1

    @property
    def ended(self) -> bool:
        """Whether the silence is long enough to end the sentence, before the frames that wait."""
        return self._run >= self._needed

    @property
    def overlong(self) -> bool:
        """Whether the sentence must end, pause or not."""
        return self._length >= self._longest

    @property
    def waiting(self) -> int:
        """Frames at the end that may belong to the next sentence."""
        return max(0, self._run - (self._needed + 1) // 2)

    def _needed_at(self, length: int) -> int:
        """Return the frames of silence that end a sentence if they begin at some length."""
        third = self._longest // 3
        if length <= third:
            return self._silence
        share = min(1.0, (length - third) / max(1, third))
        return round(self._silence - share * (self._silence - self._least))
