"""Valid files of phones and browsers to start from, where PyAV can make them."""

from __future__ import annotations

import importlib.util
import io
from typing import Any

import numpy as np

_CONTAINERS = (("m4a", "ipod", "aac"), ("mp4", "mp4", "aac"), ("webm", "webm", "libopus"))
"""Suffix, and the names that ffmpeg's libraries have for container and coding."""

_RATE = 48_000


def media_files(seconds: float) -> dict[str, bytes]:
    """Return a file of noise of each kind by its suffix; none without PyAV.

    Args:
        seconds: Length of each.
    """
    if importlib.util.find_spec("av") is None:
        return {}
    import av

    files = {}
    for suffix, container, codec in _CONTAINERS:
        try:
            files[suffix] = _file(av, container, codec, seconds)
        except (av.FFmpegError, ValueError):  # not every build can write every kind
            continue
    return files


def _file(av: Any, container: str, codec: str, seconds: float) -> bytes:
    samples = np.random.default_rng(3).uniform(-0.3, 0.3, (1, round(seconds * _RATE)))
    file = io.BytesIO()
    with av.open(file, "w", format=container) as output:
        stream = output.add_stream(codec, rate=_RATE)
        stream.layout = "mono"
        frame = av.AudioFrame.from_ndarray(samples.astype(np.float32), "fltp", "mono")
        frame.sample_rate = _RATE
        fitting = av.AudioResampler(stream.format.name, "mono", _RATE, stream.frame_size or 960)
        for part in [*fitting.resample(frame), *fitting.resample(None)]:
            output.mux(stream.encode(part))
        output.mux(stream.encode(None))
    return file.getvalue()
