"""Live streams: how they are opened, and that their samples are there as soon as they arrive."""

import io
import os
import threading

import numpy as np
import pytest
import soundfile
from wav_streams import PCM, RATE, TONE, Pipe, handmade

from asr_runtime import AudioFileError
from asr_runtime.live.live_source import FileSource
from asr_runtime.live.pipe_source import PipeSource, open_stream


class TestArrival:
    def test_a_stall_holds_nothing_back(self):
        pipe = Pipe()
        data = handmade()
        header = len(data) - len(PCM)
        # Whole samples and half of one, then a pause, until after what was written is here.
        pipe.write(data[: header + 1001])
        first = pipe.samples(500)
        assert len(first) == 500
        pipe.write(data[header + 1001 :])
        second = pipe.samples(3500)
        pipe.close()
        assert pipe.next() is None
        np.testing.assert_allclose(np.concatenate([first, second]), TONE, atol=1e-4)

    def test_stall_in_the_header(self):
        pipe = Pipe()
        for byte in handmade(PCM[:4]):
            pipe.write(bytes([byte]))
        assert len(pipe.samples(2)) == 2
        pipe.close()
        assert pipe.next() is None

    def test_raw_samples_are_there_at_once(self):
        pipe = Pipe(sample_rate=8000)
        pipe.write(PCM[:20])
        assert len(pipe.samples(10)) == 10
        pipe.write(PCM[20:24])
        assert len(pipe.samples(2)) == 2
        pipe.close()

    def test_pipe_that_does_not_wait(self):
        reading_end, writing_end = os.pipe()
        os.set_blocking(reading_end, False)
        threading.Timer(0.2, lambda: (os.write(writing_end, PCM), os.close(writing_end))).start()
        with open(reading_end, "rb") as file:
            blocks = list(PipeSource(file, RATE).blocks())
        assert sum(map(len, blocks)) == len(TONE)

    def test_nothing_after_closing(self):
        source = PipeSource(io.BytesIO(PCM), RATE)
        next(source.blocks())
        source.close()
        assert list(source.blocks()) == []


class TestOpening:
    @pytest.mark.parametrize("name", ["speech.flac", "speech.wav", "speech.ogg"])
    def test_file_of_any_format(self, tmp_path, name):
        path = str(tmp_path / name)
        soundfile.write(path, np.tile(TONE, 5), RATE)
        source = open_stream(path)
        assert isinstance(source, FileSource)
        assert source.sample_rate == RATE
        blocks = list(source.blocks())
        assert len(blocks) > 2
        samples, _ = soundfile.read(path, dtype="float32")
        np.testing.assert_array_equal(np.concatenate(blocks), samples)
        source.close()
        assert list(source.blocks()) == []

    def test_file_of_raw_samples(self, tmp_path):
        path = tmp_path / "speech.raw"
        path.write_bytes(PCM)
        source = open_stream(str(path), 8000)
        assert source.sample_rate == 8000
        assert sum(map(len, source.blocks())) == len(TONE)
        source.close()

    @pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes here")
    def test_named_pipe(self, tmp_path):
        path = tmp_path / "pipe"
        os.mkfifo(path)
        writer = threading.Thread(target=lambda: path.write_bytes(handmade()))
        writer.start()
        source = open_stream(str(path))
        np.testing.assert_allclose(np.concatenate(list(source.blocks())), TONE, atol=1e-4)
        source.close()
        writer.join()

    def test_what_cannot_be_opened(self, tmp_path):
        with pytest.raises(AudioFileError, match="there is no such file"):
            open_stream(str(tmp_path / "none.wav"))
        with pytest.raises(AudioFileError, match="is a directory"):
            open_stream(str(tmp_path))

    def test_standard_input_that_is_none(self, monkeypatch):
        monkeypatch.setattr("sys.stdin", None)
        with pytest.raises(AudioFileError, match="standard input is closed"):
            open_stream("-")

    @pytest.mark.skipif(not hasattr(os, "openpty"), reason="there are no terminals here")
    def test_standard_input_that_is_the_terminal(self, monkeypatch):
        master, terminal = os.openpty()
        with open(terminal) as stdin:
            monkeypatch.setattr("sys.stdin", stdin)
            with pytest.raises(AudioFileError, match="standard input is the terminal"):
                open_stream("-")
        os.close(master)
