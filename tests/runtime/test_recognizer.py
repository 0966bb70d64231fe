"""Transcripts, batches, and the log-probabilities below them."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import onnxruntime
import pytest
import soundfile

from asr_runtime import AudioContentError, AudioFileError, Recognizer, greedy_decode
from asr_runtime.inference import model_session
from asr_runtime.recordings import transcriber
from asr_runtime.recordings.reading import iter_log_probs

TEXTS = ["it's a test", "a", "hello world again and again", "zebra", "ok then", "book keeper"]


def test_token_times_are_where_the_tones_are(recognizer, speak):
    transcript = recognizer.transcribe(speak("ab c", 48000), 48000)
    assert transcript.text == "ab c"
    # Each letter sounds for 0.09 s after a gap of 0.06 s; a frame is 0.03 s.
    for index, token in enumerate(transcript.tokens):
        assert token.start == pytest.approx(0.06 + 0.15 * index, abs=0.031)
        assert token.end == pytest.approx(0.15 + 0.15 * index, abs=0.031)
        assert 0.9 < token.confidence <= 1
    assert [(word.text, word.start) for word in transcript.words] == [
        ("ab", transcript.tokens[0].start),
        ("c", transcript.tokens[3].start),
    ]
    assert transcript.duration == pytest.approx(0.66)
    assert 0.9 < transcript.confidence <= 1


def test_no_time_lies_after_the_end(recognizer, speak):
    samples = speak("abc")[: -round(0.06 * 16000) - 700]
    transcript = recognizer.transcribe(samples, 16000)
    assert transcript.text == "abc"
    assert transcript.tokens[-1].end == transcript.duration


def test_unclear_audio_is_less_confident(recognizer, speak):
    clear = recognizer.transcribe(speak("hello"), 16000)
    unclear = recognizer.transcribe(speak("hello") * 0.25, 16000)
    assert unclear.text == clear.text
    assert unclear.confidence < clear.confidence


def test_silence_has_no_text(recognizer):
    transcript = recognizer.transcribe(np.zeros(32000), 16000)
    assert (transcript.text, transcript.tokens, transcript.words) == ("", (), ())
    assert transcript.duration == 2.0


def test_result_is_immutable(recognizer, speak):
    transcript = recognizer.transcribe(speak("a"), 16000)
    with pytest.raises(AttributeError):
        transcript.text = "b"


def test_card_and_provider(recognizer, model_file):
    assert recognizer.card.sample_rate == 16000
    assert recognizer.card.seconds_per_frame == pytest.approx(0.03)
    assert recognizer.card.architecture == {"preset": "tones"}
    assert recognizer.provider == "CPUExecutionProvider"
    assert recognizer.model_path == model_file


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("Failed to allocate memory for requested buffer of size 9999999999"),
        MemoryError("std::bad_alloc"),
    ],
)
def test_more_audio_than_memory(recognizer, monkeypatch, error):
    def run(*arguments):
        raise error

    monkeypatch.setattr(recognizer._session._session, "run", run)
    with pytest.raises(AudioContentError, match="memory does not suffice for 50 s"):
        recognizer.transcribe(np.zeros(50 * 16000), 16000)


class TestSessions:
    """One that opens quickly, and another one that is opened when work of its kind comes."""

    @pytest.fixture
    def opened(self, monkeypatch):
        real, opened = onnxruntime.InferenceSession, []

        def create(content, options, **settings):
            opened.append(settings["disabled_optimizers"])
            return real(content, options, **settings)

        monkeypatch.setattr(onnxruntime, "InferenceSession", create)
        return opened

    def test_one_utterance_needs_the_first_one_alone(self, model_file, speak, opened):
        recognizer = Recognizer.load(model_file, device="cpu")
        for _ in range(2):
            assert recognizer.transcribe(speak("ab c"), 16000).text == "ab c"
        assert opened == [["ConstantFolding"]]

    @pytest.mark.parametrize("keeps_memory", [True, False])
    def test_what_the_first_run_took_is_returned(
        self, model_file, speak, monkeypatch, keeps_memory
    ):
        real, asked = onnxruntime.InferenceSession, []

        class Session(real):
            def __init__(self, content, options, **settings):
                options.enable_cpu_mem_arena = keeps_memory
                super().__init__(content, options, **settings)

            def run(self, outputs, feeds, options=None):
                key = "memory.enable_memory_arena_shrinkage"
                asked.append(options and options.get_run_config_entry(key))
                return super().run(outputs, feeds, options)

        monkeypatch.setattr(onnxruntime, "InferenceSession", Session)
        recognizer = Recognizer.load(model_file, device="cpu")
        for _ in range(2):
            assert recognizer.transcribe(speak("ab c"), 16000).text == "ab c"
        # Without memory that is kept, the first run is refused, and done as any other.
        assert asked == (["cpu:0", None] if keeps_memory else ["cpu:0", None, None])

    def test_a_recognizer_made_of_another_goes_on_with_its_session(self, model_file):
        session = Recognizer.load(model_file, device="cpu")._session.with_phonemes()
        assert session.with_phonemes() is session

    def test_several_at_once_need_the_other_one(self, model_file, speak, opened):
        recognizer = Recognizer.load(model_file, device="cpu")
        items = [(speak(text), 16000) for text in TEXTS]
        for _ in range(2):
            found = recognizer.transcribe_batch(items)
            assert [transcript.text for transcript in found] == TEXTS
        assert opened == [["ConstantFolding"], None]

    def test_a_window_of_a_long_recording_needs_the_other_one_even_alone(
        self, model_file, speak, opened
    ):
        session = Recognizer.load(model_file, device="cpu")._session
        card = session.card
        (rows,) = iter_log_probs(session, [speak("ab c").astype(np.float32)])
        decoding = greedy_decode(rows, card.vocabulary, card.blank_id, card.seconds_per_frame)
        assert decoding.text == "ab c"
        assert opened == [["ConstantFolding"], None]

    def test_streams_need_the_other_one(self, streaming_model_file, speak, opened):
        recognizer = Recognizer.load(streaming_model_file, device="cpu")
        with ThreadPoolExecutor(4) as threads:

            def listen(_):
                stream = recognizer.stream(16000)
                results = stream.feed(np.pad(speak("ab c"), (0, 16000))) + stream.finish()
                return "".join(result.text for result in results if result.is_final)

            assert set(threads.map(listen, range(8))) == {"ab c"}
        assert opened == [["ConstantFolding"], None]

    def test_a_file_that_is_optimised_already_is_opened_once(
        self, model_file, speak, opened, tmp_path
    ):
        options = onnxruntime.SessionOptions()
        options.optimized_model_filepath = str(tmp_path / "tones.ort")
        onnxruntime.InferenceSession(str(model_file), options, disabled_optimizers=None)
        opened.clear()
        recognizer = Recognizer.load(tmp_path / "tones.ort", device="cpu")
        items = [(speak(text), 16000) for text in TEXTS]
        assert [found.text for found in recognizer.transcribe_batch(items)] == TEXTS
        assert opened == [None]


class TestBatch:
    @pytest.fixture
    def items(self, speak, tmp_path):
        paths = [tmp_path / f"{index}.flac" for index in range(2)]
        for path, text in zip(paths, TEXTS, strict=False):
            soundfile.write(path, speak(text, 22050), 22050)
        rest = [(speak(text, 8000), 8000) for text in TEXTS[2:]]
        return [paths[0], str(paths[1]), *rest]

    # The limits make the same items one group, several, and one each.
    @pytest.mark.parametrize(("seconds", "number"), [(60, 32), (5, 32), (60, 4), (0.1, 32)])
    @pytest.mark.parametrize("window", [1800, 3])
    def test_same_as_single(self, recognizer, items, monkeypatch, seconds, number, window):
        monkeypatch.setattr(model_session, "MAX_BATCH_SECONDS", seconds)
        monkeypatch.setattr(model_session, "MAX_BATCH_ITEMS", number)
        monkeypatch.setattr(transcriber, "GROUP_SECONDS", window)
        batch = recognizer.transcribe_batch(items)
        assert [transcript.text for transcript in batch] == TEXTS
        for item, transcript in zip(items, batch, strict=True):
            single = recognizer.transcribe_batch([item])[0]
            assert transcript.to_dict() == single.to_dict()

    def test_padded_size_is_bounded(self, recognizer, monkeypatch):
        monkeypatch.setattr(model_session, "MAX_BATCH_SECONDS", 4)
        sizes = []
        real_run = recognizer._session.run

        def run(batch):
            sizes.append((len(batch), max(map(len, batch))))
            return real_run(batch)

        monkeypatch.setattr(recognizer._session, "run", run)
        lengths = [100_000, *[16_000] * 9, *[1000] * 70]
        outputs = recognizer.log_probs([np.zeros(length, np.float32) for length in lengths])
        assert [len(output) for output in outputs] == [length // 480 + 1 for length in lengths]
        assert all(number == 1 or number * longest <= 4 * 16000 for number, longest in sizes)
        assert all(number <= 32 for number, _ in sizes)
        assert sum(number for number, _ in sizes) == len(lengths)
        assert len(sizes) == 1 + 3 + 3

    def test_nothing(self, recognizer):
        assert recognizer.transcribe_batch([]) == []
        assert recognizer.log_probs([]) == []

    def test_iterator(self, recognizer, items):
        assert [t.text for t in recognizer.transcribe_batch(iter(items))] == TEXTS

    def test_bad_item_is_named(self, recognizer, items, tmp_path):
        with pytest.raises(AudioFileError, match=r"none\.wav: there is no such file"):
            recognizer.transcribe_batch([*items, tmp_path / "none.wav"])
        with pytest.raises(AudioContentError, match="item 1: "):
            recognizer.transcribe_batch([items[0], (np.zeros(3), 16000)])


class TestLogProbs:
    def test_shape_and_sum(self, recognizer, speak):
        samples = [speak("abc"), speak("a")]
        outputs = recognizer.log_probs(samples)
        for waveform, output in zip(samples, outputs, strict=True):
            assert output.shape == (len(waveform) // 480 + 1, 29)
            assert output.dtype == np.float32
            np.testing.assert_allclose(np.exp(output).sum(axis=1), 1, atol=1e-5)

    @pytest.mark.parametrize("shape", [(0,), (100, 2)])
    def test_wrong_shape(self, recognizer, shape):
        with pytest.raises(ValueError, match="waveforms"):
            recognizer.log_probs([np.zeros(shape, np.float32)])
