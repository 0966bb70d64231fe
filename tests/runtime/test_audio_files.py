"""Every format, sample rate and channel count gives the text that was spoken."""

import io
import os
import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import soundfile

from asr_runtime import AudioFileError, Recognizer
from asr_runtime.audio.audio_reader import read_audio

TEXT = "it's all good"

FORMATS = [
    ("wav", "PCM_U8"),
    ("wav", "PCM_16"),
    ("wav", "PCM_24"),
    ("wav", "PCM_32"),
    ("wav", "FLOAT"),
    ("wav", "DOUBLE"),
    ("flac", "PCM_16"),
    ("flac", "PCM_24"),
    ("ogg", "VORBIS"),
    ("ogg", "OPUS"),
    ("mp3", "MPEG_LAYER_III"),
]


def write(path: Path, samples: np.ndarray, rate: int, subtype: str | None = None) -> Path:
    soundfile.write(path, samples, rate, subtype=subtype)
    return path


@pytest.mark.parametrize("rate", [8000, 16000, 48000])
@pytest.mark.parametrize(("extension", "subtype"), FORMATS)
def test_format_and_rate(recognizer, speak, tmp_path, extension, subtype, rate):
    path = write(tmp_path / f"a.{extension}", speak(TEXT, rate), rate, subtype)
    transcript = recognizer.transcribe(path)
    assert transcript.text == TEXT
    assert transcript.duration == pytest.approx(len(speak(TEXT, rate)) / rate, abs=0.1)


@pytest.mark.parametrize("rate", [11025, 22050, 44100, 96000])
def test_other_rates(recognizer, speak, tmp_path, rate):
    path = write(tmp_path / "a.wav", speak(TEXT, rate), rate)
    assert recognizer.transcribe(path).text == TEXT


def test_a_thousand_channels_take_little_memory(tmp_path):
    """What the header claims does not decide how much is read at a time."""
    samples = np.random.default_rng(0).uniform(-0.5, 0.5, (3000, 1000)).astype(np.float32)
    path = write(tmp_path / "a.wav", samples, 16000, "FLOAT")
    read_audio(path)  # imports
    tracemalloc.start()
    try:
        mono, _ = read_audio(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    np.testing.assert_allclose(mono, samples.mean(axis=1), atol=1e-6)
    assert peak < samples.nbytes / 4


@pytest.mark.parametrize("channels", [2, 6])
@pytest.mark.parametrize("extension", ["wav", "flac"])
def test_channels_are_averaged(recognizer, speak, tmp_path, extension, channels):
    samples = np.zeros((len(speak(TEXT)), channels), np.float32)
    samples[:, -1] = speak(TEXT)
    path = write(tmp_path / f"a.{extension}", samples, 16000)
    assert recognizer.transcribe(path).text == TEXT
    mono, rate = read_audio(path)
    assert rate == 16000
    np.testing.assert_allclose(mono, samples.mean(axis=1), atol=1e-4)


def test_file_of_several_blocks_is_read_whole(tmp_path):
    samples = np.linspace(-0.5, 0.5, 200_003).astype(np.float32)
    read, _ = read_audio(write(tmp_path / "a.wav", samples, 16000, "FLOAT"))
    np.testing.assert_array_equal(read, samples)


def test_path_as_text_and_stream(recognizer, speak, tmp_path):
    path = write(tmp_path / "a.wav", speak(TEXT), 16000)
    assert recognizer.transcribe(str(path)).text == TEXT
    samples, rate = read_audio(io.BytesIO(path.read_bytes()))
    assert recognizer.transcribe(samples, rate).text == TEXT


def test_name_says_nothing_about_the_format(recognizer, speak, tmp_path):
    path = write(tmp_path / "a.wav", speak(TEXT), 16000).rename(tmp_path / "speech.raw")
    assert recognizer.transcribe(path).text == TEXT


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
def test_named_pipe(recognizer, speak, tmp_path):
    import threading

    content = write(tmp_path / "a.flac", speak(TEXT), 16000).read_bytes()
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(content,))
    writer.start()
    assert recognizer.transcribe(pipe).text == TEXT
    writer.join()


class TestStreamedFiles:
    """Writers to a pipe cannot go back to fill in a length. That is no damage."""

    @pytest.mark.parametrize("size", [0, 0x7FFFF000, 0x80000000, 0xFFFFFFFF])
    @pytest.mark.parametrize("whole", [0, 36, 0xFFFFFFFF])
    def test_wav(self, recognizer: Recognizer, speak, tmp_path, size, whole):
        path = write(tmp_path / "a.wav", speak(TEXT), 16000)
        content = bytearray(path.read_bytes())
        assert content[36:40] == b"data"
        content[4:8] = struct.pack("<I", whole)
        content[40:44] = struct.pack("<I", size)
        path.write_bytes(content)
        transcript = recognizer.transcribe(path)
        assert transcript.text == TEXT
        assert transcript.duration == pytest.approx(len(speak(TEXT)) / 16000)

    def test_flac(self, recognizer: Recognizer, speak, tmp_path):
        path = write(tmp_path / "a.flac", speak(TEXT), 16000)
        content = bytearray(path.read_bytes())
        content[21] &= 0xF0  # the 36 bits of the total number of samples: unknown
        content[22:26] = bytes(4)
        path.write_bytes(content)
        transcript = recognizer.transcribe(path)
        assert transcript.text == TEXT
        assert transcript.duration == pytest.approx(len(speak(TEXT)) / 16000)

    def test_big_endian_and_long_wav(self, recognizer: Recognizer, speak, tmp_path):
        for form, endian in [("WAV", "BIG"), ("RF64", "LITTLE")]:
            path = tmp_path / "a.wav"
            soundfile.write(path, speak(TEXT), 16000, "PCM_16", endian, form)
            assert recognizer.transcribe(path).text == TEXT

    def test_odd_number_of_bytes(self, recognizer: Recognizer, speak, tmp_path):
        samples = speak(TEXT)[: len(speak(TEXT)) // 2 * 2 - 1]
        path = write(tmp_path / "a.wav", samples, 16000, "PCM_U8")
        content = path.read_bytes()
        assert recognizer.transcribe(path).text == TEXT
        path.write_bytes(content[: 44 + len(samples)])
        assert recognizer.transcribe(path).text == TEXT

    def test_chunk_before_the_audio(self, recognizer: Recognizer, speak, tmp_path):
        path = write(tmp_path / "a.wav", speak(TEXT), 16000)
        content = path.read_bytes()
        note = b"note" + struct.pack("<I", 3) + b"odd" + b"\0"
        path.write_bytes(content[:36] + note + content[36:])
        assert recognizer.transcribe(path).text == TEXT
        path.write_bytes(content[:36] + note + content[36:-10])
        with pytest.raises(AudioFileError, match="promises"):
            recognizer.transcribe(path)

    def test_mp3_with_tags(self, recognizer: Recognizer, speak, tmp_path):
        path = write(tmp_path / "a.mp3", speak(TEXT), 16000)
        tag = b"ID3\x04\x00\x00\x00\x00\x02\x00" + bytes(256)
        path.write_bytes(tag + path.read_bytes() + b"TAG" + bytes(125))
        assert recognizer.transcribe(path).text == TEXT
