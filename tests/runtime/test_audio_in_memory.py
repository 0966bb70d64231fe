"""Bytes, files that are open and samples in bytes are taken wherever paths and arrays are."""

import io

import numpy as np
import pytest
import soundfile

from asr_runtime import AsrRuntimeError, AudioContentError, AudioFileError, Recognizer
from asr_runtime.audio.audio_reader import AudioReader
from asr_runtime.audio.sample_format import RAW_FORMATS, raw_format
from asr_runtime.live.pipe_source import PipeSource

RATE = 16000
TEXT = "hello world"


@pytest.fixture(scope="module")
def content(speak):
    file = io.BytesIO()
    soundfile.write(file, speak(TEXT), RATE, format="WAV", subtype="PCM_16")
    return file.getvalue()


@pytest.fixture(scope="module")
def pcm(speak):
    return (speak(TEXT) * 32767).astype("<i2").tobytes()


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview, io.BytesIO])
def test_the_bytes_of_a_file(recognizer, content, kind):
    assert recognizer.transcribe(kind(content)).text == TEXT
    assert [each.text for each in recognizer.transcribe_batch([kind(content), kind(content)])] == [
        TEXT
    ] * 2
    assert next(recognizer.transcribe_sentences(kind(content))).text == TEXT
    with pytest.raises(AudioFileError, match="cut off or damaged"):
        recognizer.transcribe(kind(content[:-5000]))
    with pytest.raises(AudioFileError, match="is empty"):
        recognizer.transcribe(kind(b""))


def test_open_files(recognizer, content, tmp_path):
    path = tmp_path / "a.wav"
    path.write_bytes(content)
    with path.open("rb") as file:
        assert recognizer.transcribe(file).text == TEXT
        assert not file.closed
        file.seek(0, 2)
        with pytest.raises(AudioFileError, match=r"read to its end already; seek\(0\)"):
            recognizer.transcribe(file)
    with path.open("rb", buffering=0) as file:
        assert recognizer.transcribe(file).text == TEXT
    with (
        path.open() as file,
        pytest.raises(TypeError, match="as text; open it with mode 'rb'"),
    ):
        recognizer.transcribe(file)


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_samples_in_bytes(recognizer, pcm, content, kind):
    assert recognizer.transcribe(kind(pcm), RATE).text == TEXT
    assert recognizer.transcribe_batch([(kind(pcm), RATE)])[0].text == TEXT
    with pytest.raises(AudioContentError, match="end inside a sample"):
        recognizer.transcribe(kind(pcm[:-1]), RATE)
    with pytest.raises(AudioFileError, match="is WAV, which brings its own sample rate"):
        recognizer.transcribe(kind(content), RATE)


def test_a_memoryview_of_numbers_is_an_array(recognizer, speak):
    assert recognizer.transcribe(memoryview(speak(TEXT)), RATE).text == TEXT


@pytest.mark.parametrize("audio", [None, 3, {"a": 1}, ("a.wav",), object()])
def test_wrong_types_are_named(recognizer, audio):
    with pytest.raises(TypeError, match=type(audio).__name__):
        recognizer.transcribe(audio)


@pytest.mark.parametrize("audio", [None, {"a": 1}])
def test_wrong_samples_are_named(recognizer, audio):
    with pytest.raises(TypeError, match=f"samples are of type {type(audio).__name__}"):
        recognizer.transcribe(audio, RATE)


class TestStreams:
    @pytest.fixture(scope="class")
    def streaming(self, streaming_model_file):
        return Recognizer.load(streaming_model_file, device="cpu", threads=1)

    def texts(self, stream, parts):
        results = [result for part in parts for result in stream.feed(part)]
        return [each.text for each in [*results, *stream.finish()] if each.is_final]

    @pytest.mark.parametrize("size", [1, 999, 3200])
    def test_bytes_divided_anywhere(self, streaming, pcm, size):
        size = max(size, 101)  # odd: samples are torn apart
        parts = [pcm[begin : begin + size] for begin in range(0, len(pcm), size)]
        assert self.texts(streaming.stream(RATE), parts) == [TEXT]

    def test_other_formats(self, streaming, speak):
        stereo = np.repeat(speak(TEXT), 2).astype(">f4").tobytes()
        stream = streaming.stream(RATE, raw_format="f32be:2")
        assert self.texts(stream, [stereo[:1001], bytearray(stereo[1001:])]) == [TEXT]

    def test_checks(self, streaming, content):
        with pytest.raises(AudioFileError, match="is WAV"):
            streaming.stream(RATE).feed(content)
        with pytest.raises(TypeError, match="samples are of type str"):
            streaming.stream(RATE).feed("a.wav")
        with pytest.raises(AudioContentError, match="there is no raw format 'mp3'"):
            streaming.stream(RATE, raw_format="mp3")

    def test_silence_has_a_warning(self, streaming):
        stream = streaming.stream(RATE)
        stream.feed(bytes(32_000))
        stream.finish()
        assert stream.warnings == ("it is digital silence: every sample is 0",)


class TestRawFormats:
    def encoded(self, name, samples):
        """Samples as libsndfile writes them without a header."""
        subtype = {"mulaw": "ULAW", "alaw": "ALAW", "u8": "PCM_U8", "s8": "PCM_S8"}.get(name)
        if subtype is None:
            kind, width = name[0], name[1:3]
            subtype = {"s": f"PCM_{width}", "f": "FLOAT" if width == "32" else "DOUBLE"}[kind]
        file = io.BytesIO()
        endian = "BIG" if name.endswith("be") else "LITTLE"
        soundfile.write(file, samples, RATE, subtype, endian, "RAW")
        return file.getvalue()

    @pytest.mark.parametrize("channels", [1, 2])
    @pytest.mark.parametrize("name", RAW_FORMATS)
    def test_files_and_pipes(self, tmp_path, name, channels):
        samples = np.random.default_rng(0).uniform(-0.9, 0.9, (5000, channels))
        data = self.encoded(name, samples)
        described = raw_format(f"{name}:{channels}", RATE)
        path = tmp_path / "a.raw"
        path.write_bytes(data)
        with AudioReader(path, raw_format=described) as reader:
            assert reader.duration == 5000 / RATE
            found = np.concatenate(list(reader.blocks()))
        tolerance = 0.04 if "law" in name else 0.01
        np.testing.assert_allclose(found, samples.mean(axis=1), atol=tolerance)
        piped = np.concatenate(list(PipeSource(io.BytesIO(data), described).blocks()))
        np.testing.assert_array_equal(piped, found)

    @pytest.mark.parametrize("name", ["mulaw", "alaw"])
    def test_telephone_codes_are_those_of_libsndfile(self, name):
        codes = bytes(range(256))
        subtype = {"mulaw": "ULAW", "alaw": "ALAW"}[name]
        expected, _ = soundfile.read(
            io.BytesIO(codes), channels=1, samplerate=8000, subtype=subtype, format="RAW"
        )
        described = raw_format(name)
        assert described.sample_rate == 8000
        np.testing.assert_array_equal(described.decode(codes)[:, 0], expected)

    @pytest.mark.parametrize("name", ["", "s16", "f32le:0", "f32le:x", "f32le:2000", "mp3"])
    def test_what_is_no_format(self, name):
        with pytest.raises(AsrRuntimeError, match="raw"):
            raw_format(name, RATE)
        with pytest.raises(AsrRuntimeError, match="sample rate"):
            raw_format("f32le")
