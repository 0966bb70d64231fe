"""Streams: what they may contain, where they end, and what is said of a wrong one."""

import io
import struct

import numpy as np
import pytest
import soundfile
from wav_streams import PCM, RATE, TONE, UNKNOWN, Pipe, chunk, handmade, wav

from asr_runtime import AudioContentError, AudioFileError
from asr_runtime.live.pipe_source import PipeSource


def read(data, sample_rate=None):
    source = PipeSource(io.BytesIO(data), sample_rate)
    return np.concatenate(list(source.blocks())), source.sample_rate


def problem(data, sample_rate=None):
    """What is wrong with a stream, and the number of samples that came before it was told."""
    blocks = []
    with pytest.raises(AudioFileError) as caught:
        blocks.extend(PipeSource(io.BytesIO(data), sample_rate).blocks())
    return caught.value.problem, sum(map(len, blocks))


class TestFormats:
    @pytest.mark.parametrize("channels", [1, 2, 9])
    @pytest.mark.parametrize(
        "options",
        [
            {"subtype": "PCM_U8"},
            {"subtype": "PCM_16"},
            {"subtype": "PCM_24"},
            {"subtype": "PCM_32"},
            {"subtype": "FLOAT"},
            {"subtype": "DOUBLE"},
            {"subtype": "PCM_16", "format": "WAVEX"},
            {"subtype": "PCM_24", "format": "WAVEX"},
            {"subtype": "FLOAT", "format": "WAVEX"},
            {"subtype": "PCM_16", "format": "RF64"},
            {"subtype": "PCM_16", "endian": "BIG"},
            {"subtype": "PCM_24", "endian": "BIG"},
            {"subtype": "FLOAT", "endian": "BIG"},
        ],
        ids=lambda options: "-".join(options.values()),
    )
    def test_as_a_file_is_read(self, options, channels):
        samples = TONE[:, None] * np.linspace(0.2, 1, channels)
        data = wav(samples, 44100, **options)
        expected, _ = soundfile.read(io.BytesIO(data), dtype="float32", always_2d=True)
        found, rate = read(data)
        assert rate == 44100
        np.testing.assert_allclose(found, expected.mean(axis=1), atol=1e-6)

    def test_24_bits_in_32(self):
        wide = (TONE * 0x7FFFFF).astype("<i4") << 8
        described = struct.pack("<HHIIHH", 1, 1, RATE, RATE * 4, 4, 24)
        data = b"RIFF\0\0\0\0WAVE" + chunk(b"fmt ", described) + chunk(b"data", wide.tobytes())
        np.testing.assert_allclose(read(data)[0], TONE, atol=1e-6)

    def test_raw_samples(self):
        samples, rate = read(PCM, 22050)
        assert rate == 22050
        np.testing.assert_allclose(samples, TONE, atol=1e-4)

    def test_chunks_before_the_samples_are_skipped(self):
        extra = chunk(b"JUNK", bytes(28)) + chunk(b"LIST", b"odd") + chunk(b"bext", bytes(70_000))
        np.testing.assert_allclose(read(handmade(extra=extra))[0], TONE, atol=1e-4)

    def test_chunks_after_the_samples_are_no_samples(self):
        for padding in (b"", b"\0"):
            samples = PCM[: len(PCM) - len(padding)]
            data = handmade(samples, len(samples), bits=8) + padding + chunk(b"LIST", b"INFO" * 9)
            assert len(read(data)[0]) == len(samples)

    @pytest.mark.parametrize("size", [0, UNKNOWN, 0x80000000, 0x7FFFF000, 1000])
    def test_size_that_means_until_the_end(self, size):
        np.testing.assert_allclose(read(handmade(size=size))[0], TONE, atol=1e-4)

    @pytest.mark.parametrize("size", [0, (1 << 64) - 1, 1 << 63, 1000])
    def test_64_bit_size_that_means_until_the_end(self, size):
        extra = chunk(b"ds64", struct.pack("<QQQI", 0, size, 0, 0))
        data = handmade(extra=extra).replace(b"RIFF", b"RF64", 1)
        np.testing.assert_allclose(read(data)[0], TONE, atol=1e-4)

    def test_64_bit_size(self):
        extra = chunk(b"ds64", struct.pack("<QQQI", 0, len(PCM), 0, 0))
        data = handmade(extra=extra).replace(b"RIFF", b"RF64", 1) + chunk(b"LIST", bytes(40))
        np.testing.assert_allclose(read(data)[0], TONE, atol=1e-4)


class TestEnd:
    def test_in_the_middle_of_a_sample(self):
        pipe = Pipe()
        pipe.write(handmade(PCM[:41], channels=2))
        assert len(pipe.samples(10)) == 10
        pipe.close()
        error = pipe.next()
        assert isinstance(error, AudioFileError)
        assert error.problem.startswith("ended in the middle of a sample (1 of 4 bytes)")

    def test_before_the_size_of_its_header(self):
        told, count = problem(handmade(PCM[:2000], len(PCM)))
        assert told.startswith("ended 0.19 s before the end that its WAV header promises")
        assert count == 1000

    @pytest.mark.parametrize(
        ("data", "expected"),
        [
            (b"", "is empty"),
            (handmade(b""), "ended before any audio came"),
            (handmade(b"", 0), "ended before any audio came"),
            (handmade(b"", 0) + chunk(b"LIST", bytes(8)), "ended before any audio came"),
            (wav()[:12], "is cut off or damaged (the WAV header ends before the audio)"),
            (wav()[:40], "is cut off or damaged (the WAV header ends before the audio)"),
            (
                b"RIFF\0\0\0\0WAVEdata\4\0\0\0" + PCM[:4],
                "is cut off or damaged (the WAV header does not describe the samples)",
            ),
            (
                b"RIFF\0\0\0\0WAVE" + chunk(b"fmt ", bytes(8)) + chunk(b"data", PCM),
                "is cut off or damaged (the WAV header describes the samples too shortly)",
            ),
            (handmade(channels=0), "is cut off or damaged (the WAV header says 0 channels)"),
        ],
    )
    def test_without_audio(self, data, expected):
        told, count = problem(data)
        assert told.startswith(expected)
        assert "check what sends it" in told
        assert count == 0

    def test_read_error(self):
        class Broken(io.BytesIO):
            def read1(self, size=-1):
                data = super().read1(min(size, 2000))
                if not data:
                    raise OSError(5, "Input/output error")
                return data

        source = PipeSource(Broken(handmade()))
        blocks = []
        with pytest.raises(AudioFileError, match=r"cannot be read \(Input/output error\)"):
            blocks.extend(source.blocks())
        assert sum(map(len, blocks)) == len(TONE)


@pytest.fixture
def no_media_decoder(monkeypatch):
    """Have neither ffmpeg nor PyAV."""
    monkeypatch.setattr("asr_runtime.audio.media.shutil.which", lambda name: None)
    monkeypatch.setattr("asr_runtime.audio.media.importlib.util.find_spec", lambda name: None)


@pytest.mark.usefixtures("no_media_decoder")
class TestWrongFormats:
    @pytest.mark.parametrize(
        ("data", "kind"),
        [
            (wav(format="FLAC"), "FLAC"),
            (wav(format="OGG"), "Ogg"),
            (wav(format="MP3"), "MP3"),
            (b"ID3\4" + bytes(20), "MP3"),
            (wav(format="AIFF"), "AIFF"),
            (wav(format="AU"), "AU"),
            (wav(format="CAF"), "CAF"),
            (b"\x1aE\xdf\xa3" + bytes(20), "WebM"),
        ],
    )
    def test_another_format_is_named(self, data, kind):
        told, _ = problem(data)
        assert told.startswith(f"is {kind}")
        assert told.endswith("convert it: ffmpeg -i INPUT -f wav - | asr-run listen -")

    @pytest.mark.parametrize("data", [PCM, b"hello", b"RIFF\0\0\0\0WEBPVP8 ", b"\0"])
    def test_no_wav(self, data):
        told, _ = problem(data)
        assert told.startswith("is no WAV stream; give --sample-rate if it is 16-bit mono ")
        assert "ffmpeg -i INPUT -f wav - | asr-run listen -" in told

    @pytest.mark.parametrize(
        ("options", "coded"),
        [
            ({"coding": 0x55}, "MP3"),
            ({"coding": 1, "bits": 64}, "64-bit samples of the kind 0x1"),
            ({"coding": 3, "bits": 16}, "16-bit samples of the kind 0x3"),
            ({"coding": 1, "bits": 0}, "0-bit samples"),
        ],
    )
    def test_coded_samples(self, options, coded):
        told, _ = problem(handmade(**options))
        assert told.startswith(f"is WAV with {coded}")
        assert "ffmpeg" in told

    @pytest.mark.parametrize(
        ("data", "kind"), [(wav(), "WAV"), (wav(format="FLAC"), "FLAC"), (b"ID3" * 9, "MP3")]
    )
    def test_a_file_is_not_read_as_raw_samples(self, data, kind):
        told, count = problem(data, RATE)
        assert told.startswith(f"is {kind}")
        assert "leave --sample-rate out" in told
        assert count == 0

    @pytest.mark.parametrize("rate", [0, 44, 1_000_000])
    def test_impossible_rate(self, rate):
        with pytest.raises(AudioContentError, match="is not within 1000 to 768000 Hz"):
            PipeSource(io.BytesIO(handmade(rate=rate)))
        with pytest.raises(AudioContentError, match="is not within 1000 to 768000 Hz"):
            PipeSource(io.BytesIO(PCM), rate)
