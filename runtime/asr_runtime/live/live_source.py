"""Where live audio comes from."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from asr_runtime.audio.audio_reader import AudioReader
from asr_runtime.audio.channels import MIX, Channels


class LiveSource(ABC):
    """Audio that arrives while it is transcribed.

    Attributes:
        sample_rate: Hz.
        description: What is listened to, for a person, if that is not what they named.
    """

    sample_rate: float
    description: str | None = None

    @abstractmethod
    def blocks(self) -> Iterator[npt.NDArray[np.float32]]:
        """Wait for audio and yield it as soon as it is there.

        Yields:
            Mono float32 samples [samples], -1 to 1.

        Raises:
            AsrRuntimeError: It ended as it should not, after all samples that arrived.
        """

    @abstractmethod
    def close(self) -> None:
        """Stop listening. `blocks` then yields what was captured before, if anything, and ends."""

    def warnings(self) -> list[str]:
        """Return what went wrong and did not end it, a line each; complete once it is closed."""
        return []


class FileSource(LiveSource):
    """A whole file, as fast as it is asked for; a block of it is in memory at a time."""

    _BLOCK_SECONDS = 0.25

    def __init__(
        self, path: str, *, channels: Channels = MIX, accept_incomplete: bool = False
    ) -> None:
        """Open a file.

        Args:
            path: Where it is.
            channels: MIX, or the number of the channel to read, from 1 on.
            accept_incomplete: Whether a file that is cut off is a warning and no error.

        Raises:
            AudioFileError: It cannot be read.
        """
        self._reader = AudioReader(path, channels=channels, accept_incomplete=accept_incomplete)
        self.sample_rate = self._reader.sample_rate
        self._open = True

    def blocks(self) -> Iterator[npt.NDArray[np.float32]]:
        """Yield the file's samples, float32 [samples], a quarter of a second at a time."""
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
        """Close the file."""
        self._open = False
        self._reader.close()

    def warnings(self) -> list[str]:
        """Return what people should know about the audio; complete once it is closed."""
        return self._reader.warnings
