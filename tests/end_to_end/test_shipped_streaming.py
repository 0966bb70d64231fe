"""The shipped model transcribes live what it transcribes afterwards."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import soundfile

from asr_runtime import Recognizer, StreamResult
from asr_runtime.inference.session import load_session
from asr_runtime.recognizer import DEFAULT_MODEL

DEMO = Path(__file__).resolve().parents[2] / "runtime" / "demo" / "demo.flac"
RATE = 16_000
EVERYTHING = 1 << 40

Samples = npt.NDArray[np.float32]


@pytest.fixture(scope="module")
def recognizer() -> Recognizer:
    return Recognizer.load(device="cpu", threads=1)


@pytest.fixture(scope="module")
def demo() -> Samples:
    samples: Samples = soundfile.read(DEMO, dtype="float32")[0]
    return samples


def live(recognizer: Recognizer, samples: Samples, sizes: Callable[[], int]) -> list[StreamResult]:
    stream, results, begin = recognizer.stream(RATE), [], 0
    while begin < len(samples):
        size = sizes()
        results += stream.feed(samples[begin : begin + size])
        begin += size
    return results + stream.finish()


def final_text(results: Sequence[StreamResult]) -> str:
    return " ".join(result.text for result in results if result.is_final)


def test_the_demo_clip_live(recognizer: Recognizer, demo: Samples) -> None:
    rng = np.random.default_rng(0)
    results = live(recognizer, demo, lambda: 320)
    assert results == live(recognizer, demo, lambda: 16)
    assert results == live(recognizer, demo, lambda: RATE)
    assert results == live(recognizer, demo, lambda: int(rng.integers(0, 20_000)))
    assert final_text(results) == recognizer.transcribe(DEMO).text
    # Text comes while it is spoken: by the middle, something of it is there to stay.
    assert len(results) > 6
    assert len(results[len(results) // 2].stable.split()) > 4


@pytest.mark.parametrize("chunk", [5, 21, 100])
def test_with_all_of_the_look_ahead_it_is_the_whole(demo: Samples, chunk: int) -> None:
    session = load_session(DEFAULT_MODEL, device="cpu", threads=1)
    card = session.card
    assert card.streaming is not None
    stride, position, frames = card.frame_stride, 0, []
    state = np.zeros(card.streaming.state_shape, np.float32)
    while position * stride < len(demo):
        context = min(position, card.streaming.context_frames)
        samples = demo[(position - context) * stride :]
        last = position + chunk > len(demo) // stride
        log_probs, state = session.run_chunk(samples, context, EVERYTHING if last else chunk, state)
        frames.append(log_probs)
        position += len(log_probs)
    whole = session.run([demo])[0]
    np.testing.assert_allclose(np.concatenate(frames), whole, atol=1e-4)


@pytest.mark.parametrize("decibels", [-100, -60, -40, -20])
def test_noise_gives_no_text(recognizer: Recognizer, decibels: float) -> None:
    noise = np.random.default_rng(0).standard_normal(20 * RATE) * 10 ** (decibels / 20)
    results = live(recognizer, noise.astype(np.float32), lambda: 4000)
    assert final_text(results) == ""
    # What was shown for a moment, if anything, is taken back.
    assert not results or results[-1].text == ""


def test_words_stay_as_right_as_on_the_whole(recognizer: Recognizer, shared_data: Path) -> None:
    jiwer = pytest.importorskip("jiwer")
    rows = [json.loads(line) for line in (shared_data / "dev.jsonl").read_text().splitlines()]
    said, whole, streamed = [], [], []
    for row in rows[::13]:
        samples, rate = soundfile.read(shared_data / row["audio_filepath"], dtype="float32")
        assert rate == RATE
        said.append(row["text"])
        whole.append(recognizer.transcribe(samples, rate).text)
        streamed.append(final_text(live(recognizer, samples, lambda: 1600)))
    # Of the whole set it is 10 %; these are some 450 words.
    assert jiwer.wer(said, streamed) < 1.2 * jiwer.wer(said, whole)
