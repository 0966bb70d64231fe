"""Recordings of any length: the same text as at once, sentence by sentence, in little memory."""

import itertools
import math
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import soundfile

import asr_runtime
from asr_runtime import AudioContentError, AudioFileError, EndpointConfig, Recognizer
from asr_runtime.audio.audio_source import SampleBlocks
from asr_runtime.audio.waveform import Waveform, to_waveform
from asr_runtime.decoding.greedy import greedy_text
from asr_runtime.inference.session import load_session
from asr_runtime.recordings import reading, transcriber
from asr_runtime.recordings.stitching import SeamConfig, find_seam
from asr_runtime.sentences.sentence_decoder import SentenceDecoder

PACKAGE = Path(asr_runtime.__file__).parent
CLIP = Path(__file__).parents[2] / "runtime" / "demo" / "demo.flac"
WORDS = ["hello world", "it's a test", "book keeper", "again and again"]


@pytest.fixture
def short_windows(monkeypatch):
    """Windows of three seconds, so that a recording of some seconds is long."""
    monkeypatch.setattr(reading, "WINDOW_SECONDS", 3.0)
    monkeypatch.setattr(reading, "OVERLAP_SECONDS", 1.2)
    monkeypatch.setattr(reading, "SEAM_MARGIN_SECONDS", 0.3)


@pytest.fixture
def recording(speak):
    """Sentences [samples] with a second between them, their text, and where each begins."""
    parts, starts, position = [], [], 0
    for text in WORDS * 2:
        starts.append(position / 16000)
        parts += [speak(text + " "), np.zeros(16000, np.float32)]
        position += len(parts[-2]) + 16000
    return np.concatenate(parts), WORDS * 2, starts


class TestTranscribe:
    # The tone model hears each frame by itself, so nothing but a seam can make a difference.
    @pytest.mark.parametrize("cut", range(0, 24_000, 1_333))
    def test_seams_anywhere_in_words(self, recognizer, speak, short_windows, cut):
        text = "the quick brown fox jumps over the lazy dog and runs away from here"
        samples = speak(text)[cut:]
        whole = recognizer.transcribe(samples, 16000)
        sentences = list(recognizer.transcribe_sentences((samples, 16000)))
        assert " ".join(sentence.text for sentence in sentences) == whole.text
        words = [word for sentence in sentences for word in sentence.words]
        assert [word.start for word in words] == pytest.approx([word.start for word in whole.words])

    def test_sentences(self, recognizer, recording, short_windows):
        samples, texts, starts = recording
        sentences = list(recognizer.transcribe_sentences((samples, 16000)))
        assert [sentence.text for sentence in sentences] == texts
        for sentence, start in zip(sentences, starts, strict=True):
            assert sentence.tokens[0].start == pytest.approx(start + 0.06, abs=0.04)
            assert sentence.start <= sentence.tokens[0].start
            assert sentence.tokens[-1].end <= sentence.start + sentence.duration

    def test_joined(self, recognizer, recording, short_windows, monkeypatch, tmp_path):
        samples, texts, _ = recording
        at_once = recognizer.transcribe(samples, 16000)
        call_long(monkeypatch, 5.0)
        soundfile.write(tmp_path / "a.wav", samples, 16000, "FLOAT")
        joined = recognizer.transcribe(tmp_path / "a.wav")
        assert joined == recognizer.transcribe(samples, 16000)
        assert joined.text == at_once.text == " ".join(texts)
        assert (joined.start, joined.duration) == (0.0, at_once.duration)
        assert "".join(token.text for token in joined.tokens) == joined.text
        assert [word.text for word in joined.words] == [word.text for word in at_once.words]
        assert [word.start for word in joined.words] == pytest.approx(
            [word.start for word in at_once.words]
        )
        assert joined.confidence == pytest.approx(
            np.exp(np.mean(np.log([token.confidence for token in joined.tokens])))
        )
        assert hash(joined) == hash(recognizer.transcribe(samples, 16000))
        # Short audio has the same tokens as a plain tuple.
        assert joined.tokens[0] == at_once.tokens[0]
        assert joined.tokens[-2:] == at_once.tokens[-2:]

    def test_batch_with_a_long_item(self, recognizer, recording, speak, monkeypatch, short_windows):
        call_long(monkeypatch, 5.0)
        items = [(speak("a"), 16000), (recording[0], 16000), (speak("b"), 16000)]
        batch = recognizer.transcribe_batch(items)
        assert [one.to_dict() for one in batch] == [
            recognizer.transcribe(*item).to_dict() for item in items
        ]

    def test_a_minute_is_one_utterance_still(self, recognizer):
        limit = np.zeros(60 * 16000, np.float32)
        for samples, is_long in [(limit, False), (np.append(limit, [0.0]), True)]:
            recording = reading.read_recording(SampleBlocks(samples, 16000), 16000)
            assert isinstance(recording, Waveform) != is_long

    @pytest.mark.parametrize("samples", [47_999, 48_000, 48_001, 99_999, 76_800, 76_801])
    @pytest.mark.parametrize("rate", [16000, 22050])
    def test_every_frame_is_decoded_once(
        self, recognizer, short_windows, monkeypatch, samples, rate
    ):
        frames = []
        real = SentenceDecoder.feed

        def feed(self, log_probs):
            frames.append(len(log_probs))
            return real(self, log_probs)

        monkeypatch.setattr(SentenceDecoder, "feed", feed)
        audio = np.zeros(samples, np.float32)
        assert list(recognizer.transcribe_sentences((audio, rate))) == []
        expected = len(to_waveform(audio, rate, 16000).samples) // 480 + 1
        assert sum(frames) == expected

    def test_silence(self, recognizer, monkeypatch, short_windows):
        call_long(monkeypatch, 5.0)
        silence = recognizer.transcribe(np.zeros(90 * 16000, np.int16), 16000)
        assert (silence.text, len(silence.tokens), silence.duration) == ("", 0, 90)
        assert 0.4 < silence.confidence <= 1

    def test_endpoint_and_progress(self, recognizer, recording, short_windows):
        samples, texts, _ = recording
        done = []
        endless = EndpointConfig(silence_seconds=5, max_seconds=math.inf)
        sentences = list(
            recognizer.transcribe_sentences(
                (samples, 16000), endpoint=endless, progress=done.append
            )
        )
        assert len(sentences) == 1
        assert sentences[0].text == " ".join(texts)
        assert done == sorted(done)
        assert len(done) > 5
        assert done[-1] == pytest.approx(len(samples) / 16000)


@pytest.mark.parametrize(("hidden", "more"), [(256, False), (512, True), ("large", False)])
def test_a_large_gru_reads_more_windows_at_a_time(save_model, card, hidden, more):
    card["architecture"] = {"gru_hidden": hidden}
    path = save_model(card=card)
    for threads in (1, 2):
        assert (load_session(path, device="cpu", threads=threads).windows_per_run > 3) == more


def call_long(monkeypatch, seconds):
    """Read audio of more seconds in windows."""
    read = reading.read_recording
    monkeypatch.setattr(
        transcriber, "read_recording", lambda audio, rate, *_: read(audio, rate, seconds)
    )


class TestErrors:
    def test_sentences_before_it_are_given(self, recognizer, recording, short_windows):
        samples = np.concatenate([recording[0], np.full(200_000, np.inf, np.float32)])
        sentences = recognizer.transcribe_sentences((samples, 16000))
        assert next(sentences).text == WORDS[0]
        with pytest.raises(AudioContentError, match="infinite"):
            list(sentences)

    def test_nothing_to_transcribe(self, recognizer, tmp_path):
        with pytest.raises(AudioContentError, match="no audio samples"):
            list(recognizer.transcribe_sentences((np.zeros(0), 16000)))
        with pytest.raises(AudioContentError, match=r"0\.0500|at least"):
            list(recognizer.transcribe_sentences((np.zeros(100), 16000)))
        with pytest.raises(AudioFileError, match="no such file"):
            list(recognizer.transcribe_sentences(tmp_path / "none.wav"))


def test_memory_does_not_grow_with_the_recording(recognizer, speak, short_windows, monkeypatch):
    call_long(monkeypatch, 0.0)
    block = np.concatenate([speak("hello world"), np.zeros(16000, np.float32)])

    class Endless:
        sample_rate = 16000
        warnings = ()

        def __init__(self, blocks):
            self.number = blocks

        def blocks(self):
            return itertools.repeat(block, self.number)

    def peak(blocks):
        tracemalloc.start()
        try:
            number = sum(1 for segment in recognizer.segments(Endless(blocks)) if segment.text)
            assert number == blocks
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(10)
    assert peak(200) < peak(20) + 200_000


@pytest.mark.skipif(
    not (PACKAGE / "models" / "edge.onnx").exists(), reason="the default model is not installed"
)
class TestShippedModel:
    @pytest.fixture
    def default(self):
        return Recognizer.load(device="cpu", decoder="greedy", threads=1)

    @pytest.fixture
    def samples(self):
        return soundfile.read(CLIP, dtype="float32")[0]

    CONFIG = SeamConfig(margin=16, pause=8, reach=5)

    @pytest.mark.parametrize("shift", [-2, -1, 1, 2])
    def test_a_window_that_hears_it_all_some_frames_later(self, default, samples, shift):
        """A seam in every word of the clip: each gives the text of the whole."""
        whole = default.log_probs([samples])[0]
        moved = np.roll(whole, shift, axis=0)
        expected = greedy_text(whole, default.card.vocabulary, default.card.blank_id)
        for begin in range(5, len(whole) - 90, 3):
            # Of 1.2 s, and none in the longest pause for every place.
            first, second = whole[begin : begin + 80], moved[begin : begin + 80]
            seam = begin + find_seam(first, second, default.card.blank_id, self.CONFIG)
            joined = np.concatenate((whole[:seam], moved[seam:]))
            text = greedy_text(joined, default.card.vocabulary, default.card.blank_id)
            assert text == expected, begin

    def test_windows_of_their_own(self, default, samples):
        """What the model makes of a part differs from what it makes of the whole; a seam must only
        keep what one of the two windows read, and all that both did."""
        blank = default.card.blank_id
        for begin in range(20, 120, 9):
            overlap = 80
            one = default.log_probs([samples[: (begin + overlap) * 480]])[0][begin:][:overlap]
            other = default.log_probs([samples[begin * 480 :]])[0][:overlap]
            seam = find_seam(one, other, blank, self.CONFIG)
            joined = np.concatenate((one[:seam], other[seam:]))
            readings = [labels(rows, blank) for rows in (one, joined, other)]
            assert edits(readings[0], readings[1]) + edits(readings[1], readings[2]) == edits(
                readings[0], readings[2]
            ), begin


def labels(log_probs, blank):
    best = log_probs.argmax(axis=1)
    changed = np.concatenate(([True], best[1:] != best[:-1]))
    return [label for label in best[changed].tolist() if label != blank]


def edits(one, other):
    """The edit distance; a changed character costs three halves of a lost one."""
    row = [2 * place for place in range(len(other) + 1)]
    for number, letter in enumerate(one, 1):
        diagonal, row[0] = row[0], 2 * number
        for index, wanted in enumerate(other, 1):
            diagonal, row[index] = (
                row[index],
                min(diagonal + 3 * (letter != wanted), row[index] + 2, row[index - 1] + 2),
            )
    return row[-1]
