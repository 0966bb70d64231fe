"""``asr-run --stream`` and ``asr-run --microphone``: output, messages, exit status."""

import io
import json
import os
import select
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
import soundfile

from asr_runtime import EndpointConfig, LiveStream
from asr_runtime.command import cli

RATE = 16000
PAUSE = np.zeros(2 * RATE, np.float32)


class TestStream:
    def test_standard_input(self, listen, wav):
        assert listen("--stream", "-", stdin=wav) == (0, "hello world\nit's two\n", [])

    def test_file(self, listen, speech, tmp_path):
        path = tmp_path / "speech.flac"
        soundfile.write(path, speech, RATE)
        assert listen("--stream", path) == (0, "hello world\nit's two\n", [])

    def test_raw_samples(self, listen, speak, stream_calls):
        raw = (speak("hello", 8000) * 32767).astype("<i2").tobytes()
        arguments = ["--stream", "-", "--sample-rate", "8000"]
        assert listen(*arguments, stdin=raw) == (0, "hello\n", [])
        assert stream_calls[1]["sample_rate"] == 8000

    def test_json(self, listen, wav):
        status, output, errors = listen("--stream", "-", "--format", "json", stdin=wav)
        assert (status, errors) == (0, [])
        results = [json.loads(line) for line in output.splitlines()]
        final = [item for item in results if item["is_final"]]
        assert [item["text"] for item in final] == ["hello world", "it's two"]
        assert [word["text"] for word in final[1]["words"]] == ["it's", "two"]
        assert final[1]["start"] > final[0]["duration"] - 0.1
        partial = results[0]
        assert set(partial) == {"is_final", "stable", "text", "start", "duration"}
        assert "hello world".startswith(partial["stable"])

    def test_settings(self, listen, wav, stream_calls):
        arguments = ["--chunk-ms", 600, "--lookahead-ms", 0, "--pause-ms", 2500]
        # The pause between the sentences is shorter than that, and this model hears no space in it.
        assert listen("--stream", "-", *arguments, stdin=wav) == (0, "hello worldit's two\n", [])
        assert stream_calls[1] == {
            "sample_rate": RATE,
            "chunk_ms": 600,
            "lookahead_ms": 0,
            "endpoint": EndpointConfig(silence_seconds=2.5),
        }

    def test_impossible_settings_are_one_line(self, listen, wav):
        status, output, errors = listen("--stream", "-", "--chunk-ms", "1", stdin=wav)
        assert (status, output, len(errors)) == (1, "", 1)
        assert errors[0].startswith("asr-run: -: chunk_ms must be ")

    def test_end_in_a_sample_is_told_after_the_rest(self, listen, wav):
        status, output, errors = listen(
            "--stream", "-", "--sample-rate", RATE, stdin=wav[44:] + b"x"
        )
        assert (status, output) == (1, "hello world\nit's two\n")
        assert errors == [
            "asr-run: -: ended in the middle of a sample (1 of 2 bytes); check what sends it"
        ]

    @pytest.mark.parametrize(
        ("stdin", "problem"),
        [
            (b"", "is empty"),
            (b"fLaC" + bytes(100), "is FLAC"),
            (bytes(100), "is no WAV stream; give --sample-rate"),
        ],
    )
    def test_unusable_input_is_one_line(self, listen, stdin, problem):
        status, output, errors = listen("--stream", "-", stdin=stdin)
        assert (status, output, len(errors)) == (1, "", 1)
        assert errors[0].startswith(f"asr-run: -: {problem}")

    def test_absent_file(self, listen):
        status, _, errors = listen("--stream", "none.wav")
        assert (status, len(errors)) == (1, 1)
        assert errors[0].startswith("asr-run: none.wav: there is no such file")

    def test_model_that_cannot_stream_is_told_before_anything_is_read(self, listen, model_file):
        reading_end, writing_end = os.pipe()
        with open(reading_end) as stdin:
            status, output, errors = listen("--stream", "-", stdin=stdin, model=model_file)
        os.close(writing_end)
        assert (status, output, len(errors)) == (1, "", 1)
        assert errors[0].startswith(f"asr-run: {model_file}: cannot stream; export it")

    def test_unusable_samples_are_told_after_the_rest(self, listen, speak):
        nothing = np.zeros(RATE // 4)
        samples = np.concatenate([speak("hello"), nothing, np.full(99, np.nan), speak("unheard")])
        file = io.BytesIO()
        soundfile.write(file, samples, RATE, format="WAV", subtype="FLOAT")
        status, output, errors = listen("--stream", "-", stdin=file.getvalue())
        assert (status, output, len(errors)) == (1, "hello\n", 1)
        assert errors[0].startswith("asr-run: -: it contains NaN or infinite samples")

    def test_bug_keeps_its_traceback(self, wav, monkeypatch, streaming_model_file):
        def feed(stream, samples):
            raise ZeroDivisionError("bug")

        monkeypatch.setattr(LiveStream, "feed", feed)
        arguments = ["--model", str(streaming_model_file), "--stream", "-"]
        monkeypatch.setattr(sys, "argv", ["asr-run", *arguments])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(wav)))
        handler = signal.getsignal(signal.SIGINT)
        with pytest.raises(ZeroDivisionError, match="bug"):
            cli.main()
        assert signal.getsignal(signal.SIGINT) is handler


class TestUsage:
    @pytest.mark.parametrize(
        ("arguments", "problem"),
        [
            (["--stream", "-", "--microphone"], "choose one of --stream and --microphone"),
            (["--stream", "a.wav", "--stream", "b.wav"], "--stream can be given once"),
            (["--stream", "a.wav", "b.wav"], "--stream takes no further FILE"),
            (["--microphone", "b.wav"], "--microphone takes no further FILE"),
            (["--stream"], "requires an argument"),
            (["--stream", "-", "--input-device", "1"], "--input-device needs --microphone"),
            (["--microphone", "--sample-rate", "8000"], "--sample-rate needs --stream"),
            (["a.wav", "--sample-rate", "8000"], "--sample-rate needs --stream"),
            (["a.wav", "--chunk-ms", "640"], "--chunk-ms needs --stream or --microphone"),
            (["a.wav", "--lookahead-ms", "0"], "--lookahead-ms needs --stream or --microphone"),
            (["a.wav", "--pause-ms", "500"], "--pause-ms needs --stream or --microphone"),
            (["--doctor", "--stream", "-"], "--doctor takes no --stream"),
            (["--stream", "-", "--sample-rate", "44"], "--sample-rate"),
            (["--stream", "-", "--chunk-ms", "0"], "--chunk-ms"),
            (["--stream", "-", "--lookahead-ms", "-1"], "--lookahead-ms"),
            (["--stream", "-", "--pause-ms", "0"], "--pause-ms"),
        ],
    )
    def test_wrong_combinations(self, listen, arguments, problem):
        status, output, errors = listen(*arguments)
        assert (status, output) == (2, "")
        assert errors[-1].startswith("Error: ")
        assert problem in errors[-1]


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="signals are others there")
class TestInterruption:
    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    @pytest.mark.parametrize("written", [b"", b"RIFF"])
    def test_before_any_audio(self, listen, monkeypatch, number, written):
        reading_end, writing_end = os.pipe()
        os.write(writing_end, written)
        main_thread = threading.main_thread().ident
        handler = signal.getsignal(number)

        def interrupt():
            for _ in range(6000):
                if signal.getsignal(number) is not handler:  # the command has its own
                    signal.pthread_kill(main_thread, number)
                    return
                time.sleep(0.01)

        threading.Thread(target=interrupt, daemon=True).start()
        with open(reading_end) as stdin:
            assert listen("--stream", "-", stdin=stdin) == (128 + number, "", [])
        os.close(writing_end)
        assert signal.getsignal(number) is handler


class Process:
    """``asr-run`` as a command of its own."""

    def __init__(self, model_file, *arguments, stdin=subprocess.PIPE, **options):
        chosen = ["--model", str(model_file), "--device", "cpu", "--threads", "1"]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "asr_runtime", *chosen, *arguments],
            stdin=stdin,
            **({"stdout": subprocess.PIPE} | options),
            stderr=subprocess.PIPE,
        )

    def write(self, data):
        self._process.stdin.write(data)
        self._process.stdin.flush()

    def line(self):
        return self._process.stdout.readline()

    def signal(self, number):
        self._process.send_signal(number)

    def end(self):
        """Exit status, the rest of the output, and errors; its input stays open until then."""
        status = self._process.wait(20)
        output = self._process.stdout.read() if self._process.stdout else b""
        errors = self._process.stderr.read()
        for file in (self._process.stdin, self._process.stdout, self._process.stderr):
            if file is not None:
                file.close()
        return status, output, errors


@pytest.mark.skipif(sys.platform == "win32", reason="signals and terminals are others there")
class TestProcess:
    def test_a_stalled_pipe_waits_and_ctrl_c_ends_it(self, streaming_model_file, wav, speak):
        first = 44 + 2 * (len(speak("hello world")) + len(PAUSE))
        process = Process(streaming_model_file, "--stream", "-")
        process.write(wav[:first])
        # While the pipe stalls, the sentence is there.
        assert process.line() == b"hello world\n"
        process.write(wav[first:])
        assert process.line() == b"it's two\n"
        process.signal(signal.SIGINT)
        assert process.end() == (130, b"", b"")

    def test_ctrl_c_finishes_the_sentence(self, streaming_model_file, wav):
        process = Process(streaming_model_file, "--stream", "-", "--format", "json")
        process.write(wav[: 44 + 2 * RATE])
        partial = json.loads(process.line())
        assert not partial["is_final"]
        process.signal(signal.SIGINT)
        status, output, errors = process.end()
        assert (status, errors) == (130, b"")
        final = json.loads(output.splitlines()[-1])
        assert final["is_final"]
        assert final["text"].startswith(partial["text"])

    @pytest.fixture
    def path(self, speech, tmp_path):
        path = tmp_path / "speech.wav"
        soundfile.write(path, speech, RATE)
        return str(path)

    def test_reader_that_leaves(self, streaming_model_file, path):
        reading_end, writing_end = os.pipe()
        process = Process(streaming_model_file, "--stream", path, stdin=None, stdout=writing_end)
        os.close(writing_end)
        os.close(reading_end)
        assert process.end() == (1, b"", b"")

    def test_terminal(self, streaming_model_file, path):
        master, terminal = os.openpty()
        environment = {**os.environ, "TERM": "xterm", "COLUMNS": "80"}
        environment.pop("NO_COLOR", None)
        process = Process(
            streaming_model_file, "--stream", path, stdin=None, stdout=terminal, env=environment
        )
        os.close(terminal)
        shown = b""
        while select.select([master], [], [], 20)[0]:
            try:
                shown += os.read(master, 1000)
            except OSError:  # the terminal's other end is closed
                break
        os.close(master)
        assert process.end() == (0, b"", b"")
        text = shown.decode().replace("\r\n", "\n")
        assert text.startswith("\r\x1b[K\x1b[2mh")  # no word is complete yet
        assert "\r\x1b[Khello\x1b[2m w" in text
        assert "\r\x1b[Khello world\n" in text
        assert text.endswith("\r\x1b[Kit's two\n\r\x1b[K")
