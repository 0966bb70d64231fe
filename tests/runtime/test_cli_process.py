"""``asr-run`` as a process of its own: pipes, odd file names, what it imports."""

import os
import subprocess
import sys

import pytest


def command(model_file, *arguments):
    options = ["--model", str(model_file), "--device", "cpu"]
    return [sys.executable, "-m", "asr_runtime", *options, *map(str, arguments)]


class TestProcess:
    """As a command of its own."""

    def test_says_nothing_else(self, model_file, clips):
        done = subprocess.run(
            command(model_file, clips["one.wav"]), capture_output=True, check=True
        )
        assert (done.stdout, done.stderr) == (b"hello world\n", b"")

    def test_pipe_into_it(self, model_file, clips):
        with open(clips["three.ogg"], "rb") as clip:
            process = subprocess.Popen(
                command(model_file, "-"),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
            output, errors = process.communicate(clip.read())
        assert (process.returncode, output, errors) == (0, b"c\n", b"")

    @pytest.mark.parametrize("arguments", [["{}", "{}"], ["--version"], ["--help"]])
    def test_closed_output(self, model_file, clips, arguments):
        process = subprocess.Popen(
            command(model_file, *(item.format(clips["one.wav"]) for item in arguments)),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        process.stdout.close()
        errors = process.stderr.read()
        process.stderr.close()
        assert process.wait() == 1
        assert errors == b""

    @pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="file names must be Unicode")
    def test_file_name_that_is_not_text(self, model_file, clips, tmp_path):
        odd = str(tmp_path).encode() + b"/\xff\xe9.wav"
        with open(clips["one.wav"], "rb") as clip, open(odd, "wb") as file:
            file.write(clip.read())
        arguments = [*command(model_file), odd, odd + b"none"]
        for form in ("text", "json"):
            done = subprocess.run(
                [*arguments, "--format", form],
                capture_output=True,
                env=os.environ | {"PYTHONIOENCODING": "utf-8:strict"},
            )
            assert done.returncode == 1
            assert b"hello world" in done.stdout
            assert done.stderr.count(b"\n") == 1

    def test_heavy_imports_wait(self):
        program = (
            "import sys, asr_runtime.command.cli\n"
            "heavy = {'numpy', 'onnxruntime', 'soundfile', 'soxr', 'rich'} & set(sys.modules)\n"
            "sys.exit(', '.join(heavy) or 0)\n"
        )
        subprocess.run([sys.executable, "-c", program], check=True)
