"""Streams of WAV as programs write them, and a pipe to send them through."""

import io
import os
import queue
import struct
import threading

import numpy as np
import soundfile

from asr_runtime import AsrRuntimeError
from asr_runtime.live.pipe_source import PipeSource

RATE = 16000
TONE = (0.5 * np.sin(np.arange(4000) / 5)).astype(np.float32)
PCM = (TONE * 32767).astype("<i2").tobytes()

UNKNOWN = 0xFFFFFFFF
"""As ffmpeg leaves the sizes that it cannot know."""


def wav(samples=TONE, rate=RATE, **options):
    file = io.BytesIO()
    soundfile.write(file, samples, rate, **({"format": "WAV"} | options))
    return file.getvalue()


def chunk(name, content, size=None):
    padding = b"\0" * (len(content) % 2)
    return name + struct.pack("<I", len(content) if size is None else size) + content + padding


def handmade(samples=PCM, size=UNKNOWN, *, coding=1, channels=1, rate=RATE, bits=16, extra=b""):
    frame = channels * bits // 8
    described = struct.pack("<HHIIHH", coding, channels, rate, rate * frame, frame, bits)
    head = b"RIFF" + struct.pack("<I", UNKNOWN) + b"WAVE" + extra + chunk(b"fmt ", described)
    return head + b"data" + struct.pack("<I", size) + samples


class Pipe:
    """A source at the end of a pipe that another thread reads."""

    def __init__(self, sample_rate=None):
        self._reading_end, self._writing_end = os.pipe()
        self._sample_rate = sample_rate
        self.arrived = queue.Queue()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self):
        with open(self._reading_end, "rb") as file:
            try:
                for block in PipeSource(file, self._sample_rate).blocks():
                    self.arrived.put(block)
            except AsrRuntimeError as error:
                self.arrived.put(error)
        self.arrived.put(None)

    def write(self, data):
        os.write(self._writing_end, data)

    def close(self):
        os.close(self._writing_end)
        self._thread.join(10)

    def next(self):
        return self.arrived.get(timeout=10)

    def samples(self, count):
        """The next `count` samples, once they are there."""
        blocks = []
        while sum(map(len, blocks)) < count:
            blocks.append(self.next())
        return np.concatenate(blocks)
