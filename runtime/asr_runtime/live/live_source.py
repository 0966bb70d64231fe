"""Where live audio comes from."""

from abc import ABC, abstractmethod
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from asr_runtime.audio.audio_reader import AudioReader
from asr_runtime.audio.channels import MIX, Channels


class LiveSource(ABC):
    """Audio that arrives while it is transcribed.

    sample_rate: Hz.
    description: what is listened to, for a person, if that is not what they named.
    """

    sample_rate: float
    description: str | None = None

    @abstractmethod
    def blocks(self) -> Iterator[npt.NDArray[np.float32]]:
        """Mono samples [samples], -1..1, as soon as they are there.

        Raises AsrRuntimeError, behind all samples that arrived, if it ends as it should not.
        """

    @abstractmethod
    def close(self) -> None:
        """Stop listening. `blocks` then has what was captured before, if anything, and ends."""

    def warnings(self) -> list[str]:
        """What went wrong and did not end it, a line each; complete once it is closed."""
        return []


class FileSource(LiveSource):
    """A whole file, as fast as it is asked for; a block of it is in memory at a time."""

    _BLOCK_SECONDS = 0.25

    def __init__(
        self, path: str, *, channels: Channels = MIX, accept_incomplete: bool = False
    ) -> None:
        self._reader = AudioReader(path, channels=channels, accept_incomplete=accept_incomplete)
        self.sample_rate = self._reader.sample_rate
        self._open = True

    def blocks(self) -> Iterator[npt.NDArray[np.float32]]:
        """As in `LiveSource`."""
        length = int(self.sample_rate * self._BLOCK_SECONDS)
        if not self._open:
            return
        for block in self._reader.blocks():
            for start in range(0, len(block), length):
                yield block[start : start + length]
                # Closed meanwhile: there is nothing to read any more.
                if not self._open:
                    return

    def close(self) -> None:
        """As in `LiveSource`."""
        self._open = False
        self._reader.close()

    def warnings(self) -> list[str]:
        """Return what people should know about the audio; complete once it is closed."""
        return self._reader.warnings
