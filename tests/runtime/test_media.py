"""Files that libsndfile cannot read: ffmpeg or PyAV does, or one line says what to install."""

import io
import os
import stat
import sys

import numpy as np
import pytest
import soundfile

from asr_runtime import AudioFileError
from asr_runtime.audio import ffmpeg_decoder, media
from asr_runtime.audio.audio_reader import AudioReader, read_audio
from asr_runtime.live.pipe_source import PipeSource

RATE = 16000
TONE = (0.5 * np.sin(np.arange(8000) / 5)).astype(np.float32)
WEBM = (
    b"\x1aE\xdf\xa3\x9fB\x86\x81\x01B\xf7\x81\x01B\xf2\x81\x04B\xf3\x81\x08B\x82\x84webm"
    + bytes(400)
)
SPEEX = b"OggS\0\6" + bytes(20) + b"\1\x50" + b"Speex   1.2.0" + bytes(67)

KINDS = {
    "M4A (AAC)": b"\0\0\0\x1cftypM4A \0\0\0\0M4A isommp42" + bytes(400),
    "MP4": b"\0\0\0\x18ftypmp42\0\0\0\0isommp42" + bytes(400),
    "3GP": b"\0\0\0\x18ftyp3gp4\0\0\0\0isom3gp4" + bytes(400),
    "QuickTime": b"\0\0\0\x14ftypqt  " + bytes(400),
    "WebM or Matroska": WEBM,
    "AMR": b"#!AMR\n" + b"\x3c" + bytes(31 * 20),
    "AAC": b"\xff\xf1\x60\x40\x03\x9f\xfc" * 60,
    "WMA or ASF": b"0&\xb2u\x8ef\xcf\x11\xa6\xd9\0\xaa\0b\xcel" + bytes(400),
    "Ogg Speex": SPEEX,
    "AVI": b"RIFF\0\0\0\0AVI LIST" + bytes(400),
    "MPEG-TS": (b"G" + bytes(187)) * 5,
}

WRITE_WAV = """
import struct, sys
sys.stdin.buffer.read()
out = sys.stdout.buffer
form = struct.pack("<IHHIIHH", 16, 3, 1, 16000, 64000, 4, 32)
out.write(b"RIFF" + b"\\xff" * 4 + b"WAVEfmt " + form)
out.write(b"data" + b"\\xff" * 4 + struct.pack("<8000f", *[0.25] * 8000))
out.flush()
"""


@pytest.fixture
def nothing(monkeypatch):
    """Have neither ffmpeg nor PyAV."""
    monkeypatch.setattr(media.shutil, "which", lambda name: None)
    monkeypatch.setattr(media.importlib.util, "find_spec", lambda name: None)


@pytest.fixture
def ffmpeg(tmp_path, monkeypatch):
    """Put a program called ffmpeg on the PATH, which does what a test says."""

    def install(body):
        program = tmp_path / "bin" / "ffmpeg"
        program.parent.mkdir()
        program.write_text(f"#!{sys.executable}\n{body}")
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv("PATH", str(program.parent), prepend=os.pathsep)

    if os.name == "nt":
        pytest.skip("a script is no program here")
    return install


class NoSeeking(io.BytesIO):
    def seekable(self):
        return False


@pytest.mark.usefixtures("nothing")
@pytest.mark.parametrize("kind", KINDS)
def test_without_a_decoder_the_kind_is_named_alike_for_files_and_pipes(tmp_path, kind):
    path = tmp_path / "browser.wav"
    path.write_bytes(KINDS[kind])
    told = set()
    for source in (path, KINDS[kind], NoSeeking(KINDS[kind])):
        with pytest.raises(AudioFileError) as caught:
            AudioReader(source)
        told.add(caught.value.problem)
    with pytest.raises(AudioFileError) as caught:
        PipeSource(io.BytesIO(KINDS[kind]))
    told.add(caught.value.problem)
    (problem,) = told
    assert problem.startswith(f"is {kind}, which takes ffmpeg to read; install ffmpeg")
    assert "pip install 'asr-runtime[media]'" in problem


@pytest.mark.parametrize("kind", ["WebM or Matroska", "MP4", "Ogg Speex"])
def test_ffmpeg_decodes(ffmpeg, tmp_path, kind):
    ffmpeg(WRITE_WAV)
    path = tmp_path / "a"
    path.write_bytes(KINDS[kind])
    for source in (path, KINDS[kind], NoSeeking(KINDS[kind])):
        samples, rate = read_audio(source)
        assert (rate, len(samples), samples[0]) == (16000, 8000, 0.25)
    source = PipeSource(io.BytesIO(KINDS[kind]))
    assert sum(map(len, source.blocks())) == 8000
    source.close()


def test_ffmpeg_is_told_to_open_nothing_but_files(ffmpeg, tmp_path):
    arguments = tmp_path / "arguments"
    ffmpeg(f"import sys; open({str(arguments)!r}, 'w').write(' '.join(sys.argv))" + WRITE_WAV)
    path = tmp_path / "-i.mp4"
    path.write_bytes(KINDS["MP4"])
    read_audio(path)
    assert "-protocol_whitelist file,pipe,fd" in arguments.read_text()
    assert f"-i file:{path}" in arguments.read_text()


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (
            "import sys; sys.exit('[mov,mp4 @ 0x55] moov atom not found\\nmore')",
            "is MP4 that ffmpeg cannot read (moov atom not found); check whether",
        ),
        ("raise SystemExit(3)", "is MP4 that ffmpeg cannot read (exit status 3)"),
        (
            WRITE_WAV + "sys.stderr.write('[mov @ 0x1] [x @ 0x2] partial file\\n')",
            "is cut off or damaged (ffmpeg: partial file); copy or record it again",
        ),
        (WRITE_WAV + "sys.exit(1)", "is cut off or damaged (ffmpeg: exit status 1)"),
    ],
)
def test_what_ffmpeg_complains_of_is_one_line(ffmpeg, tmp_path, body, problem):
    ffmpeg(body)
    path = tmp_path / "a.mp4"
    path.write_bytes(KINDS["MP4"])
    with pytest.raises(AudioFileError) as caught:
        read_audio(path)
    assert caught.value.problem.startswith(problem)
    assert caught.value.subject == str(path)


def test_ffmpeg_that_gives_nothing_is_given_up(ffmpeg, tmp_path, monkeypatch):
    ffmpeg(WRITE_WAV + "import time; time.sleep(60)")
    decoder = ffmpeg_decoder.FfmpegDecoder(
        str(tmp_path / "bin" / "ffmpeg"), io.BytesIO(WEBM), "WebM", b"", stall_seconds=3.0
    )
    with pytest.raises(AudioFileError, match=r"ffmpeg gave no audio for 3 s"):
        list(decoder.blocks())


def test_incomplete_one_can_be_accepted(ffmpeg):
    ffmpeg(WRITE_WAV + "sys.stderr.write('partial file\\n')")
    with AudioReader(KINDS["MP4"], accept_incomplete=True) as reader:
        assert sum(map(len, reader.blocks())) == 8000
        assert reader.warnings[0] == "it is incomplete (ffmpeg: partial file)"


@pytest.mark.parametrize("kind", ["M4A (AAC)", "WebM or Matroska", "WMA or ASF"])
def test_joined_ones_are_refused(ffmpeg, kind):
    """ffmpeg stops at the end of the first one, without a word."""
    ffmpeg(WRITE_WAV)
    for size in (0, 1 << 20, (1 << 20) - 450):
        with pytest.raises(AudioFileError, match="several files were joined"):
            read_audio(KINDS[kind] + bytes(size) + KINDS[kind])


class TestPyAV:
    @pytest.fixture
    def make(self, monkeypatch):
        av = pytest.importorskip("av")
        monkeypatch.setattr(media.shutil, "which", lambda name: None)

        def make(form, codec):
            file = io.BytesIO()
            with av.open(file, "w", format=form) as container:
                stream = container.add_stream(codec, rate=RATE, layout="mono")
                samples = np.tile(TONE, 4)[None]
                frame = av.AudioFrame.from_ndarray(samples, format="flt", layout="mono")
                frame.sample_rate = RATE
                resampler = av.AudioResampler(
                    stream.codec_context.format, "mono", RATE, stream.codec_context.frame_size
                )
                for part in [*resampler.resample(frame), *resampler.resample(None), None]:
                    container.mux(stream.encode(part))
            return file.getvalue()

        return make

    @pytest.mark.parametrize(
        ("form", "codec"), [("mp4", "aac"), ("adts", "aac"), ("matroska", "pcm_s16le")]
    )
    def test_files_and_pipes(self, make, form, codec):
        content = make(form, codec)
        for source in (content, NoSeeking(content)):
            samples, rate = read_audio(source)
            assert rate == RATE
            assert abs(len(samples) - 4 * len(TONE)) < 2100
            assert np.abs(samples[4000:20_000]).max() == pytest.approx(0.5, abs=0.05)

    def test_cut_off(self, make):
        content = make("matroska", "pcm_s16le")
        with pytest.raises(AudioFileError, match="cut off or damaged"):
            read_audio(content[: len(content) // 2])


def test_a_wav_is_never_given_to_ffmpeg(ffmpeg):
    ffmpeg("raise SystemExit(1)")
    file = io.BytesIO()
    soundfile.write(file, TONE, RATE, format="WAV")
    assert len(read_audio(file.getvalue())[0]) == len(TONE)
