"""Whatever is damaged in a file: all of its audio is read, or somebody is told."""

from __future__ import annotations

import importlib.util
import random
from importlib.machinery import SourceFileLoader
from pathlib import Path

import numpy as np
import pytest

from asr_bench.fuzzing import mutations
from asr_runtime import AsrRuntimeError
from asr_runtime.audio.audio_reader import AudioReader
from asr_runtime.audio.mpeg_layout import parse_frame_header

TRIES = 80
CHECKED = ("FLAC", "Ogg Vorbis", "Ogg Opus")
"""Formats with checksums: nothing in them changes unnoticed."""

SAID_ONCE = {"AIFF": 54, "AU": 24, "CAF": 80}
"""Bytes of headers that say the sample rate and the channels a single time."""


def _script():
    path = Path(__file__).parents[2] / "script" / "audio-files"
    loader = SourceFileLoader("audio_files_of_damage", str(path))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    module.SECONDS = 2.0
    return module


SCRIPT = _script()


def read(content):
    with AudioReader(content) as reader:
        return np.concatenate([*reader.blocks(), []]), reader.sample_rate, reader.warnings


def test_an_mp3_that_says_mono_in_one_frame_ends():
    """A frame of another kind, with frames of that recording behind it, was looked at forever."""
    whole = SCRIPT.make("MP3")
    frame = parse_frame_header(whole[:4])
    assert frame is not None
    for number in (1, 2, 5):
        content = bytearray(whole)
        content[number * frame.size + 3] ^= 0xC0
        with pytest.raises(AsrRuntimeError, match="that are no MP3 frames"):
            read(bytes(content))


@pytest.mark.parametrize("name", SCRIPT.FORMATS)
def test_all_of_it_or_told(name):
    whole = SCRIPT.make(name)
    expected, rate, _ = read(whole)
    told = 0
    for number in range(TRIES):
        rng = random.Random(f"{name} {number}")
        content = bytearray(whole)
        change = rng.choice(mutations._CHANGES)
        if name.endswith("Xing header") and change is mutations._cut:
            continue  # such a file may end behind any frame
        first = SAID_ONCE.get(name, 0)
        ends = (first + 90, first + 400, len(content))
        change(content, rng.randrange(first, rng.choice(ends)), rng)
        try:
            found, its_rate, warnings = read(bytes(content))
        except AsrRuntimeError:
            told += 1
            continue
        if warnings:
            told += 1
            continue
        context = f"{change.__name__} of number {number}: {len(found) / rate:.2f} s"
        assert its_rate == pytest.approx(rate, rel=0.001), context
        assert len(found) >= len(expected) - 0.1 * rate, context
        if name in CHECKED:
            assert found[: len(expected)] == pytest.approx(expected, abs=1e-3), context
    assert told > TRIES / 4
