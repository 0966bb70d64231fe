"""``asr-run`` on long files: text as it is found, progress, failures in the middle, Ctrl-C."""

import io
import json
import signal
import subprocess
import sys

import numpy as np
import pytest
import soundfile

from asr_runtime.command import cli
from asr_runtime.command.progress_bar import ProgressBar, clock_time

WORDS = ["hello world", "it's a test", "book keeper", "again and again"]


@pytest.fixture
def samples(speak):
    """Some 100 seconds."""
    pause = np.zeros(16000, np.float32)
    return np.concatenate([part for text in WORDS * 10 for part in (speak(text), pause)])


@pytest.fixture
def long_file(samples, tmp_path):
    path = tmp_path / "long.wav"
    soundfile.write(path, samples, 16000, "FLOAT")
    return path


@pytest.fixture
def run(run_command_line, model_file):
    def call(*arguments):
        return run_command_line(cli.main, "--model", model_file, "--device", "cpu", *arguments)

    return call


def test_one_line(run, long_file):
    text = " ".join(WORDS * 10)
    assert run(long_file) == (0, text + "\n", "")
    assert run(long_file, long_file) == (0, f"{long_file}: {text}\n" * 2, "")


def test_no_words(run, tmp_path):
    path = tmp_path / "silence.wav"
    soundfile.write(path, np.zeros(70 * 16000), 16000)
    remark = f"asr-run: warning: {path}: it is digital silence: every sample is 0\n"
    assert run(path) == (0, "\n", remark)
    assert run(path, path) == (0, f"{path}: \n" * 2, remark * 2)
    status, output, _ = run("--format", "json", path)
    found = json.loads(output)
    assert (status, found["text"], found["words"], found["tokens"]) == (0, "", [], [])
    assert found["duration"] == 70
    assert found["warnings"] == ["it is digital silence: every sample is 0"]


def test_json_is_that_of_the_transcript(run, recognizer, long_file):
    status, output, errors = run("--format", "json", long_file)
    assert (status, errors, output.count("\n")) == (0, "", 1)
    found = json.loads(output)
    expected = {
        key: value
        for key, value in found.items()
        if key not in ("file", "model", "provider", "decoder")
        and key not in ("processing_seconds", "real_time_factor")
    }
    assert expected == recognizer.transcribe(long_file).to_dict()
    assert list(found)[:3] == ["file", "text", "confidence"]


class TestFailureInTheMiddle:
    @pytest.fixture
    def bad_file(self, samples, tmp_path):
        samples = np.append(samples, np.float32(np.nan))
        path = tmp_path / "bad.wav"
        soundfile.write(path, samples, 16000, "FLOAT")
        return path

    def test_text_stays_and_is_said_to_be_incomplete(self, run, bad_file, long_file):
        status, output, errors = run(bad_file, long_file)
        assert status == 1
        lines = output.splitlines()
        assert lines[0].startswith(f"{bad_file}: hello world it's a test")
        assert len(lines[0]) < len(f"{bad_file}: " + " ".join(WORDS * 10))
        assert lines[1] == f"{long_file}: " + " ".join(WORDS * 10)
        assert errors.count("\n") == 1
        assert "NaN" in errors
        assert "is not complete" in errors

    def test_json_is_not_printed(self, run, bad_file):
        status, output, errors = run("--format", "json", bad_file)
        assert (status, output) == (1, "")
        assert "NaN" in errors

    def test_nothing_is_printed_of_a_file_known_to_be_cut_off(self, run, samples, tmp_path):
        path = tmp_path / "cut.flac"
        soundfile.write(path, samples, 16000)
        path.write_bytes(path.read_bytes()[:-100])
        status, output, errors = run(path)
        assert (status, output) == (1, "")
        assert "decoding stops after" in errors


@pytest.fixture
def process(model_file, long_file):
    """In the first of files that take minutes, however late this program looks at it."""
    command = [sys.executable, "-m", "asr_runtime", "--model", str(model_file), "--device", "cpu"]
    with subprocess.Popen(
        [*command, *[str(long_file)] * 1000], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        first = f"{long_file}: hello world".encode()
        assert process.stdout.read(len(first)) == first
        yield process
        process.kill()


def test_reader_that_leaves(process):
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait() != 0


@pytest.mark.skipif(sys.platform == "win32", reason="signals are others there")
def test_control_c(process):
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate()
    assert process.returncode not in (0, None)
    assert output.endswith(b"\n")
    assert b"Traceback" not in errors


class Terminal(io.StringIO):
    def isatty(self):
        return True


class TestProgressBar:
    @pytest.fixture(autouse=True)
    def terminal(self, monkeypatch):
        monkeypatch.setenv("COLUMNS", "80")
        monkeypatch.setenv("TERM", "xterm")
        monkeypatch.setattr(sys, "platform", "linux")

    def bar(self, stream, text=None, duration=3600.0):
        self.now = 0.0
        return ProgressBar(duration, stream, text or io.StringIO(), lambda: self.now)

    def test_only_on_a_terminal(self):
        stream = io.StringIO()
        bar = self.bar(stream)
        self.now = 10.0
        bar.update(100.0)
        bar.clear()
        assert stream.getvalue() == ""

    def test_only_of_what_takes_time(self):
        stream = Terminal()
        bar = self.bar(stream)
        self.now = 1.0
        bar.update(1800.0)
        assert stream.getvalue() == ""
        self.now = 2.0
        bar.update(1800.0)
        assert "50%  30:00 of 1:00:00  0:02 left" in stream.getvalue()
        written = len(stream.getvalue())
        self.now = 2.1
        bar.update(1900.0)
        assert len(stream.getvalue()) == written
        bar.clear()
        assert stream.getvalue().endswith("\r\x1b[K")

    def test_unknown_length(self):
        stream = Terminal()
        bar = self.bar(stream, duration=None)
        self.now = 3.0
        bar.update(65.0)
        assert stream.getvalue().endswith("1:05 done in 0:03")

    def test_below_the_text_in_the_same_terminal(self):
        terminal = Terminal()
        bar = self.bar(terminal, terminal)
        terminal.write("hello")
        bar.wrote("hello")
        self.now = 2.0
        bar.update(600.0)
        self.now = 3.0
        bar.update(700.0)
        bar.clear()
        # The bar is on the line below; after it, the text goes on where it ended.
        assert terminal.getvalue().startswith("hello\n\r\x1b[K[")
        assert terminal.getvalue().count("\n") == 1
        assert terminal.getvalue().endswith("\r\x1b[K\x1b[A\x1b[5C")

    def test_times(self):
        assert [clock_time(seconds) for seconds in (5, 65, 3605, 36000)] == [
            "0:05",
            "1:05",
            "1:00:05",
            "10:00:00",
        ]
