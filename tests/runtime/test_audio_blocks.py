"""Reading in blocks gives what reading at once gives, whatever the format, and says as much."""

import io
import os
import struct

import numpy as np
import pytest
import soundfile
import soxr

from asr_runtime import AudioContentError, AudioFileError
from asr_runtime.audio import audio_decoding, audio_file, sound_file
from asr_runtime.audio.audio_reader import AudioReader, read_audio
from asr_runtime.audio.audio_source import SampleBlocks
from asr_runtime.audio.wav_layout import read_wav_layout
from asr_runtime.audio.waveform import WaveformStream, to_waveform

FORMATS = [
    ("wav", "PCM_U8"),
    ("wav", "PCM_16"),
    ("wav", "FLOAT"),
    ("flac", "PCM_16"),
    ("ogg", "VORBIS"),
    ("ogg", "OPUS"),
    ("mp3", "MPEG_LAYER_III"),
]


@pytest.fixture
def noise():
    return np.random.default_rng(0).uniform(-0.3, 0.3, (60_000, 2)).astype(np.float32)


@pytest.mark.parametrize(("extension", "subtype"), FORMATS)
def test_blocks_are_the_whole(noise, tmp_path, monkeypatch, extension, subtype):
    path = tmp_path / f"a.{extension}"
    soundfile.write(path, noise, 16000, subtype=subtype)
    whole, rate = read_audio(path)
    assert len(whole) >= len(noise)
    for module in (audio_decoding, sound_file):
        monkeypatch.setattr(module, "BLOCK_SAMPLES", 14_002)
    with AudioReader(path) as reader:
        blocks = list(reader.blocks())
        assert reader.sample_rate == rate
        assert reader.duration == pytest.approx(len(noise) / rate, abs=0.15)
    assert max(map(len, blocks)) <= 7_001
    assert len(blocks) > 8
    np.testing.assert_array_equal(np.concatenate(blocks), whole)


def test_length_that_the_header_leaves_open(noise, tmp_path):
    path = tmp_path / "a.flac"
    soundfile.write(path, noise, 16000)
    content = bytearray(path.read_bytes())
    content[21] &= 0xF0
    content[22:26] = bytes(4)
    with AudioReader(io.BytesIO(content)) as reader:
        assert reader.duration == len(noise) / 16000  # the last frame's number tells it
        assert sum(map(len, reader.blocks())) == len(noise)


@pytest.mark.parametrize("lost", [1, 5_000])
def test_cut_off_flac_is_known_before_it_is_read(noise, tmp_path, lost):
    path = tmp_path / "a.flac"
    soundfile.write(path, noise, 16000)
    path.write_bytes(path.read_bytes()[:-lost])
    with pytest.raises(AudioFileError, match=r"decoding stops after .* of 3\.75 s") as caught:
        AudioReader(path)
    assert caught.value.subject == str(path)


class Pipe(io.BytesIO):
    """What cannot be rewound."""

    def seekable(self):
        return False


class TestPipes:
    def test_large_one_is_kept_in_a_file(self, noise, tmp_path, monkeypatch):
        path = tmp_path / "a.wav"
        soundfile.write(path, noise, 16000)
        monkeypatch.setattr(audio_file, "_MOST_IN_MEMORY", 10_000)
        with AudioReader(Pipe(path.read_bytes())) as reader:
            copy = reader._decoding._file
            assert copy.fileno() > 2
            read = np.concatenate(list(reader.blocks()))
        np.testing.assert_array_equal(read, read_audio(path)[0])
        assert copy.closed

    def test_reads_that_give_less_than_was_asked_for(self, noise, tmp_path):
        path = tmp_path / "a.wav"
        soundfile.write(path, noise, 16000)

        class Slow(io.BytesIO):
            def read(self, size=-1):
                return super().read(min(size, 1000))

        read, _ = read_audio(Slow(path.read_bytes()))
        np.testing.assert_array_equal(read, read_audio(path)[0])

    def test_no_room_for_it(self, monkeypatch):
        def full():
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(audio_file.tempfile, "TemporaryFile", full)
        with pytest.raises(AudioFileError, match=r"temporary file \(No space left on device\)"):
            AudioReader(Pipe(bytes(5 << 20)))


@pytest.mark.parametrize("placeholder", [0, 0x7FFFF000, 0x80000000, 0xFFFFFFFF])
def test_wav_of_more_than_4_gb_from_a_pipe(tmp_path, placeholder):
    """The header has no room for the size, nor did the writer fill it in."""
    path = tmp_path / "a.wav"
    size = 5 << 30
    form = struct.pack("<IHHIIHH", 16, 1, 2, 48000, 192000, 4, 16)
    with path.open("wb") as file:
        file.write(b"RIFF" + b"\xff" * 4 + b"WAVEfmt " + form)
        file.write(b"data" + struct.pack("<I", placeholder))
        start = file.tell()
        file.truncate(size)  # takes no room on most file systems
        file.seek(size - 4)
        file.write(b"\x00\x40\x00\x40")
    with AudioReader(path) as reader:
        assert reader.duration == (size - start) / 192000
    with path.open("rb") as file:
        (segment,) = read_wav_layout(file).segments
        assert (segment.start, segment.stop) == (start, size)
        file.seek(segment.stop - 4)
        np.testing.assert_array_equal(segment.header.format.decode(file.read()), [[0.5, 0.5]])
    os.remove(path)


@pytest.mark.parametrize("rate", [8000, 11025, 44100, 48000])
def test_resampling_in_blocks_is_resampling_at_once(rate):
    samples = np.random.default_rng(1).uniform(-0.5, 0.5, 3 * rate + 17).astype(np.float32)
    stream = WaveformStream(rate, 16000)
    parts = [stream.feed(samples[begin : begin + 1000]) for begin in range(0, len(samples), 1000)]
    resampled = np.concatenate([*parts, stream.finish()])
    expected = soxr.resample(samples, rate, 16000, quality="HQ")
    assert len(resampled) == len(expected)
    np.testing.assert_allclose(resampled, expected, atol=1e-6)


class TestSamples:
    @pytest.mark.parametrize("kind", ["float32", "float64", "int16", "uint8"])
    @pytest.mark.parametrize("channels", [None, 1, 2, 40])
    def test_blocks_are_the_whole(self, kind, channels):
        shape = 300_017 if channels is None else (300_017, channels)
        random = np.random.default_rng(2)
        if kind.startswith("float"):
            samples = random.uniform(-0.5, 0.5, shape).astype(kind)
        else:
            samples = random.integers(0, 200, shape).astype(kind)
        blocks = list(SampleBlocks(samples, 16000).blocks())
        assert len(blocks) > 2
        whole = to_waveform(samples, 16000, 16000).samples
        np.testing.assert_array_equal(np.concatenate(blocks), whole)

    def test_more_channels_than_samples_in_a_block(self):
        samples = np.random.default_rng(3).uniform(-0.5, 0.5, (1500, 1000))
        blocks = np.concatenate(list(SampleBlocks(samples, 16000).blocks()))
        np.testing.assert_allclose(blocks, samples.mean(axis=1), atol=1e-6)

    def test_transposed_ones_are_refused(self):
        with pytest.raises(AudioContentError, match="transpose"):
            list(SampleBlocks(np.zeros((2, 300_000)), 16000).blocks())
