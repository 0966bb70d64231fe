"""Each way in which a file can be wrong has its own one-line error that names the file."""

import os
import re

import numpy as np
import pytest
import soundfile

from asr_runtime import AudioContentError, AudioFileError
from asr_runtime.audio.audio_reader import read_audio

SILENT = np.zeros(16000, np.float32)


def fails(recognizer, path, kind, problem):
    with pytest.raises(kind, match=problem) as caught:
        recognizer.transcribe(path)
    assert caught.value.subject == str(path)
    assert str(caught.value) == f"{path}: {caught.value.problem}"
    assert "\n" not in caught.value.problem


def test_missing(recognizer, tmp_path):
    fails(recognizer, tmp_path / "none.wav", AudioFileError, "no such file")


def test_directory(recognizer, tmp_path):
    fails(recognizer, tmp_path, AudioFileError, "directory")


def test_empty(recognizer, tmp_path):
    path = tmp_path / "a.wav"
    path.touch()
    fails(recognizer, path, AudioFileError, "is empty")


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.mp3", "a.raw", "a"])
def test_random_bytes(recognizer, tmp_path, name):
    path = tmp_path / name
    path.write_bytes(np.random.default_rng(0).bytes(20_000))
    fails(recognizer, path, AudioFileError, "not audio that can be read")


@pytest.mark.parametrize(
    "content", [b"hello world\n" * 50, b"RIFF\x00\x00\x00\x00WEBPVP8 ", b"\xff"]
)
def test_other_content(recognizer, tmp_path, content):
    path = tmp_path / "a.wav"
    path.write_bytes(content)
    fails(recognizer, path, AudioFileError, "not audio that can be read")


def test_unreadable(recognizer, tmp_path, monkeypatch):
    path = tmp_path / "a.wav"
    soundfile.write(path, SILENT, 16000)
    path.chmod(0)
    if os.access(path, os.R_OK):  # as root, for instance
        real_open = open

        def refuse(file, *arguments, **options):
            if file == path:
                raise PermissionError(13, "Permission denied", str(file))
            return real_open(file, *arguments, **options)

        monkeypatch.setattr("builtins.open", refuse)
    fails(recognizer, path, AudioFileError, "may not be read; change its permissions")


def test_path_that_cannot_exist(recognizer):
    fails(recognizer, "a\0b.wav", AudioFileError, "cannot be opened")


def test_stream_error_has_no_subject(tmp_path):
    with (tmp_path / "a").open("w+b") as file, pytest.raises(AudioFileError) as caught:
        read_audio(file)
    assert caught.value.subject is None
    assert "is empty" in str(caught.value)


@pytest.mark.parametrize("extension", ["wav", "flac"])
def test_too_short(recognizer, tmp_path, extension):
    path = tmp_path / f"a.{extension}"
    soundfile.write(path, SILENT[:799], 16000)
    fails(recognizer, path, AudioContentError, r"0\.0499 s long and at least 0\.05 s")


@pytest.mark.parametrize("extension", ["wav", "ogg"])
def test_no_samples(recognizer, tmp_path, extension):
    path = tmp_path / f"a.{extension}"
    soundfile.write(path, SILENT[:0], 16000)
    assert path.stat().st_size > 0
    fails(recognizer, path, AudioContentError, "no audio samples")


def test_shortest(recognizer, tmp_path):
    path = tmp_path / "a.wav"
    soundfile.write(path, SILENT[:800], 16000)
    assert recognizer.transcribe(path).text == ""


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("subtype", ["FLOAT", "DOUBLE"])
def test_not_finite(recognizer, tmp_path, value, subtype):
    samples = SILENT.astype(np.float64)
    samples[7000] = value
    path = tmp_path / "a.wav"
    soundfile.write(path, samples, 16000, subtype)
    fails(recognizer, path, AudioContentError, "NaN or infinite")


def test_float_file_with_integer_scale(recognizer, speak, tmp_path):
    path = tmp_path / "a.wav"
    soundfile.write(path, speak("a") * 32768, 16000, "FLOAT")
    fails(recognizer, path, AudioContentError, "looks like integer samples, divide by 32768")


class TestTruncation:
    """A file that was cut off is never transcribed as if it were complete."""

    FORMATS = (
        ("WAV", "PCM_16"),
        ("WAV", "PCM_24"),
        ("RF64", "PCM_16"),
        ("FLAC", "PCM_16"),
        ("OGG", "VORBIS"),
        ("OGG", "OPUS"),
        ("MP3", "MPEG_LAYER_III"),
    )

    @pytest.fixture(params=FORMATS, ids="-".join)
    def complete(self, request, tmp_path, speak):
        path = tmp_path / f"a.{request.param[0].lower()}"
        form, subtype = request.param
        # Noise: a codec spends its bytes evenly, so that every part of the file is audio.
        samples = np.random.default_rng(0).uniform(-0.5, 0.5, 60_000)
        soundfile.write(path, samples, 16000, subtype, format=form)
        return path

    def test_complete_one_is_read(self, complete):
        samples, _ = read_audio(complete)
        assert len(samples) == 60_000

    @pytest.mark.parametrize("kept", [0.3, 0.6, 0.9])
    def test_cut_in_the_audio(self, recognizer, complete, kept):
        content = complete.read_bytes()
        complete.write_bytes(content[: int(len(content) * kept)])
        fails(
            recognizer, complete, AudioFileError, "cut off or damaged .*; copy or record it again"
        )

    def test_cut_by_a_little(self, recognizer, complete):
        content = complete.read_bytes()
        lost = 4000 if complete.suffix == ".mp3" else 10
        complete.write_bytes(content[:-lost])
        fails(recognizer, complete, AudioFileError, "cut off or damaged")

    @pytest.mark.parametrize("size", [13, 30])
    def test_cut_in_the_header(self, recognizer, complete, size):
        complete.write_bytes(complete.read_bytes()[:size])
        fails(recognizer, complete, AudioFileError, "cut off or damaged|not audio that can be read")

    def test_ogg_cut_between_pages(self, recognizer, tmp_path):
        path = tmp_path / "a.ogg"
        samples = np.random.default_rng(0).uniform(-0.5, 0.5, 100_000)
        soundfile.write(path, samples, 16000, "OPUS", format="OGG")
        content = path.read_bytes()
        last_page = [match.start() for match in re.finditer(b"OggS", content)][-1]
        path.write_bytes(content[:last_page])
        fails(recognizer, path, AudioFileError, "no end mark")

    def test_flac_cut_between_frames(self, recognizer, tmp_path):
        path = tmp_path / "a.flac"
        soundfile.write(path, np.random.default_rng(0).uniform(-0.5, 0.5, 60_000), 16000)
        content = path.read_bytes()
        frames = [match.start() for match in re.finditer(b"\xff\xf8[\x00-\xff]\x08", content)]
        path.write_bytes(content[: frames[-2]])
        fails(recognizer, path, AudioFileError, r"decoding stops after .* of 3\.75 s")

    def test_damaged_flac(self, recognizer, tmp_path, speak):
        path = tmp_path / "a.flac"
        soundfile.write(path, speak("hello world"), 16000)
        content = bytearray(path.read_bytes())
        content[len(content) // 2 : len(content) // 2 + 40] = b"\xff" * 40
        path.write_bytes(content)
        fails(recognizer, path, AudioFileError, "damaged")


def test_an_impossible_64_bit_size_prints_nothing(tmp_path, capfd):
    """libsndfile seeks to where it says; an error there would be printed behind our back."""
    path = tmp_path / "damaged.wav"
    samples = 0.1 * np.sin(0.1 * np.arange(16_000))
    soundfile.write(path, samples, 16_000, format="RF64", subtype="PCM_16")
    content = bytearray(path.read_bytes())
    sizes, data = content.index(b"ds64"), content.index(b"data")
    content[sizes + 16 : sizes + 24] = (0x4FC5FA2F29FF16A9).to_bytes(8, "little")
    content[data + 4 : data + 8] = (32_000).to_bytes(4, "little")
    path.write_bytes(content)
    found, _ = read_audio(path)
    np.testing.assert_allclose(found, samples, atol=1e-4)
    assert capfd.readouterr() == ("", "")
