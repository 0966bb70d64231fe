"""Reading a whole audio file: WAV, FLAC, Ogg Vorbis, Ogg Opus and MP3, through libsndfile."""

import os
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from asr_runtime.audio.audio_reader import AudioReader


def read_audio(
    source: str | os.PathLike[str] | BinaryIO,
) -> tuple[npt.NDArray[np.float32], int]:
    """Read a whole file as mono samples [samples], -1..1, and its sample rate in Hz.

    source: a path, or a binary stream such as standard input, which is read to its end.

    Channels are averaged block by block, so memory holds one channel. Raises AudioFileError if the
    source cannot be opened, is empty, is no audio, or is damaged or cut off, with the path as its
    subject.
    """
    with AudioReader(source) as reader:
        blocks = list(reader.blocks())
        samples = np.concatenate(blocks) if blocks else np.zeros(0, np.float32)
        return samples, reader.sample_rate
