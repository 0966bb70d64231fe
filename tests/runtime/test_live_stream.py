"""Live streams: the same text however the samples come, and a clear end."""

import threading
from collections.abc import Iterator

import numpy as np
import pytest

from asr_runtime import (
    AudioContentError,
    EndpointConfig,
    LiveStream,
    ModelFileError,
    Recognizer,
    StreamError,
    StreamResult,
)
from asr_runtime.inference.session import ModelSession

RATE = 16_000


@pytest.fixture(scope="module")
def live(streaming_model_file) -> Recognizer:
    return Recognizer.load(streaming_model_file, device="cpu", threads=1)


@pytest.fixture(scope="module")
def speech(speak) -> np.ndarray:
    """Two sentences with a pause of 1.5 s between them."""
    pause = np.zeros(RATE * 3 // 2, np.float32)
    return np.concatenate([speak("we are here "), pause, speak("come and see"), pause[: RATE // 4]])


def pieces(samples: np.ndarray, size: int | None) -> Iterator[np.ndarray]:
    rng = np.random.default_rng(0)
    begin = 0
    while begin < len(samples):
        length = size or int(rng.integers(0, 9000))
        yield samples[begin : begin + length]
        begin += length


def run(stream: LiveStream, samples: np.ndarray, size: int | None = 320) -> list[StreamResult]:
    results = []
    for piece in pieces(samples, size):
        results += stream.feed(piece)
    return results + stream.finish()


def test_sentences_become_final_one_by_one(live, speech):
    results = run(live.stream(RATE), speech)
    final = [result for result in results if result.is_final]
    assert [result.text for result in final] == ["we are here", "come and see"]
    assert [result.text for result in final] == [result.transcript.text for result in final]
    first, second = (result.transcript for result in final)
    assert first.tokens[0].start == pytest.approx(0.06, abs=0.05)
    begin = len(speech) / RATE - 0.25 - 12 * 0.15 - 0.06
    assert second.tokens[0].start == pytest.approx(begin + 0.06, abs=0.05)
    assert second.start + second.duration == pytest.approx(len(speech) / RATE)
    # The first is final before the second begins.
    order = [result.is_final for result in results]
    assert order.index(True) < max(index for index, final in enumerate(order) if not final)


@pytest.mark.parametrize("size", [16, 320, RATE, 1_000_000, None], ids=str)
def test_the_division_of_the_samples_changes_nothing(live, speech, size):
    """1 ms, 20 ms, 1 s, all at once, and random."""
    assert run(live.stream(RATE), speech, size) == run(live.stream(RATE), speech, 4321)


@pytest.mark.parametrize("rate", [8000, 44_100])
def test_other_rates_and_channels(live, speak, rate):
    samples = speak("over there", rate)
    stereo = np.stack([samples, samples], axis=1)
    integers = (32767 * samples).astype(np.int16)
    for fed in (samples, stereo, integers):
        by_ten_milliseconds = run(live.stream(rate), fed, rate // 100)
        assert by_ten_milliseconds[-1].text == "over there"
        assert by_ten_milliseconds == run(live.stream(rate), fed, None)


def test_what_is_stable_stays(live, speech):
    stable = ""
    for result in run(live.stream(RATE), speech):
        assert result.text.startswith(result.stable)
        assert result.stable.startswith(stable)
        stable = "" if result.is_final else result.stable


def test_text_comes_a_chunk_and_its_look_ahead_after_its_sound(live, speak):
    stream = live.stream(RATE)
    assert stream.latency == pytest.approx(0.39)
    samples = speak("we are here")
    heard = ""
    for index, piece in enumerate(pieces(samples, 160)):
        for result in stream.feed(piece):
            heard = result.text
        seconds = (index + 1) / 100
        # Characters that were over long enough ago; one takes 0.15 s.
        due = int(max(0.0, seconds - stream.latency - 0.03) / 0.15)
        assert len(heard) >= len("we are here"[:due].strip())


def test_every_chunk_continues_from_the_state_before(live, speech, monkeypatch):
    calls = []
    real = ModelSession.run_chunk

    def record(self, samples, context_frames, chunk_frames, state):
        calls.append((len(samples), context_frames, chunk_frames, float(state[0, 0])))
        return real(self, samples, context_frames, chunk_frames, state)

    monkeypatch.setattr(ModelSession, "run_chunk", record)
    run(live.stream(RATE), speech, RATE)
    window = 13 * 480 - 1
    assert calls[0] == (window, 0, 10, 0.0)
    assert calls[1] == (2 * 480 + window, 2, 10, 10.0)
    assert calls[-1][2] > 1_000_000
    assert [state for *_, state in calls] == [10.0 * number for number in range(len(calls))]
    calls.clear()
    run(live.stream(RATE, chunk_ms=60, lookahead_ms=0), speech, RATE)
    assert calls[2] == (2 * 480 + 2 * 480 - 1, 2, 2, 4.0)


def test_a_stall_is_waited_out(live, speech):
    stream = live.stream(RATE)
    results = []
    for piece in pieces(speech, 1600):
        results += stream.feed(piece)
        assert stream.feed(piece[:0]) == []
        assert stream.feed([]) == []
    assert results + stream.finish() == run(live.stream(RATE), speech)


def test_after_the_end_nothing_can_be_fed(live, speak):
    stream = live.stream(RATE)
    stream.feed(speak("a"))
    assert [result.text for result in stream.finish() if result.is_final] == ["a"]
    with pytest.raises(StreamError, match="start another one"):
        stream.feed(speak("b"))
    with pytest.raises(StreamError, match="finished already"):
        stream.finish()


def test_silence_and_nothing_give_no_text(live):
    assert live.stream(RATE).finish() == []
    assert run(live.stream(RATE), np.zeros(5 * RATE, np.float32)) == []
    assert run(live.stream(RATE), np.zeros(10, np.float32)) == []


def test_samples_that_are_no_audio_are_left_out(live, speech):
    stream = live.stream(RATE)
    results = []
    for piece in pieces(speech, 4000):
        for bad in (piece + np.nan, 3e4 * np.ones(100), np.zeros((2, 3, 4)), ["a"]):
            with pytest.raises((AudioContentError, ValueError)):
                stream.feed(bad)
        results += stream.feed(piece)
    assert results + stream.finish() == run(live.stream(RATE), speech)


def test_streams_of_one_recognizer_in_threads(live, speak):
    texts = ["we are here", "come and see", "over there we go", "yes"]
    found: dict[str, str] = {}

    def transcribe(text: str) -> None:
        results = run(live.stream(RATE), speak(text), 160)
        found[text] = " ".join(result.text for result in results if result.is_final)

    threads = [threading.Thread(target=transcribe, args=(text,)) for text in texts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {text: text for text in texts}


def test_the_pause_that_ends_a_sentence_can_be_chosen(live, speech):
    patient = live.stream(RATE, endpoint=EndpointConfig(silence_seconds=3.0))
    final = [result.text for result in run(patient, speech) if result.is_final]
    assert final == ["we are here come and see"]


def test_results_as_json(live, speak):
    partial, *_, final = run(live.stream(RATE), speak("we are here"))
    assert partial.to_dict() == {
        "is_final": False,
        "stable": partial.stable,
        "text": partial.text,
        "start": 0.0,
        "duration": 0.3,
    }
    assert final.to_dict()["is_final"] is True
    assert [word["text"] for word in final.to_dict()["words"]] == ["we", "are", "here"]


def test_a_model_for_whole_recordings_says_so(recognizer):
    with pytest.raises(ModelFileError, match=r"tones\.onnx: cannot stream.*--streaming"):
        recognizer.stream(RATE)


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"chunk_ms": 0}, "chunk_ms must be 30 to"),
        ({"chunk_ms": float("nan")}, "chunk_ms must be"),
        ({"lookahead_ms": -1}, "lookahead_ms must be 0 to"),
        ({"lookahead_ms": 1e9}, "lookahead_ms must be"),
    ],
)
def test_impossible_settings(live, settings, problem):
    with pytest.raises(StreamError, match=problem):
        live.stream(RATE, **settings)


@pytest.mark.parametrize("rate", [0, -16000, 5, float("nan"), "fast"])
def test_impossible_rates(live, rate):
    with pytest.raises(AudioContentError, match="sample rate"):
        live.stream(rate)
