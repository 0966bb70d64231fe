"""Standard streams that are closed, full, broken or no terminal, in every mode and format."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs fork and pseudo-terminals")

DRIVER = Path(__file__).with_name("stream_states.py")
ORDINARY = {"stdin": "file", "stdout": "file", "stderr": "file"}
INPUT_MODES = ("stdin", "listen", "listen-raw", "align-stdin")
"""Modes that read standard input."""


def load_driver():
    spec = importlib.util.spec_from_file_location("stream_states", DRIVER)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


if sys.platform != "win32":
    states = load_driver()


def modes(folder, model, streaming_model):
    """Arguments of each mode, by its name."""
    options = ["--model", str(model), "--device", "cpu"]
    one, two, faint, out = (str(folder / name) for name in ("1.wav", "2.wav", "faint.wav", "out"))
    streaming = ["--model", str(streaming_model), "--device", "cpu"]
    text = str(folder / "said.txt")
    return {
        **{form: [*options, "--format", form, one] for form in ("text", "json", "srt", "vtt")},
        "tsv": [*options, "--format", "tsv", one],
        "warned": [*options, faint],
        "many": [*options, one, "none.wav", two],
        "many-json": [*options, "--format", "json", one, "none.wav", two],
        "files": [*options, one, "none.wav", two, "--output-dir", out],
        "stdin": [*options, "-"],
        "listen": ["listen", "-", *streaming],
        "listen-raw": ["listen", "-", *streaming, "--sample-rate", "16000"],
        "align": ["align", *options, one, text],
        "align-stdin": ["align", *options, "--format", "json", "-", text],
        "doctor": ["doctor", *options],
        "help": ["--help"],
        "version": ["--version"],
        "usage": ["--nonsense"],
        "no-model": ["--model", "none.onnx", one],
    }


def all_cases(names):
    """A covering subset: over the modes, each output state meets each of the other output."""
    cases = []
    for place, name in enumerate(names):
        cases.append((name, ORDINARY))
        outputs, inputs = states.OUTPUT_STATES, states.INPUT_STATES
        for turn in range(place % 2, len(outputs), 2):
            stdout = outputs[turn]
            stderr = outputs[(turn + place) % len(outputs)]
            stdin = "file" if name in INPUT_MODES else inputs[(turn + 2 * place) % len(inputs)]
            cases.append((name, {"stdin": stdin, "stdout": stdout, "stderr": stderr}))
        if name in INPUT_MODES:
            cases += [(name, {**ORDINARY, "stdin": stdin}) for stdin in inputs[1:]]
        cases.append((name, dict.fromkeys(ORDINARY, "closed")))
    return cases


@pytest.fixture(scope="module")
def folder(tmp_path_factory, speak):
    folder = tmp_path_factory.mktemp("streams")
    pause = np.zeros(32000, np.float32)
    speech = np.concatenate([speak("hello world"), pause])
    soundfile.write(folder / "1.wav", speech, 16000)
    soundfile.write(folder / "2.wav", speak("it's two"), 16000)
    soundfile.write(folder / "faint.wav", np.zeros(16000), 16000)
    (folder / "1.raw").write_bytes((speech * 32767).astype("<i2").tobytes())
    (folder / "said.txt").write_text("hello world\n")
    return folder


@pytest.fixture(scope="module")
def results(folder, model_file, streaming_model_file):
    """What came of each case: the case, and its result, by the mode."""
    arguments = modes(folder, model_file, streaming_model_file)
    watched = [*folder.iterdir(), model_file, streaming_model_file]
    before = [digest(path) for path in watched]
    cases = all_cases(arguments)
    work = [
        {
            "arguments": arguments[name],
            "input": str(folder / ("1.raw" if name == "listen-raw" else "1.wav")),
            **case,
        }
        for name, case in cases
    ]
    (folder / "cases").write_text(json.dumps(work))
    subprocess.run([sys.executable, DRIVER, folder / "cases", folder / "results"], check=True)
    assert [digest(path) for path in watched] == before
    found = {}
    for (name, case), result in zip(
        cases, json.loads((folder / "results").read_text()), strict=True
    ):
        found.setdefault(name, []).append((case, result))
    return found


def digest(path):
    return hashlib.sha256(path.read_bytes()).digest()


def without_times(text):
    return re.sub(r"[0-9]+\.[0-9]+", "#", text)


MODES = tuple(modes(Path(), "", ""))


@pytest.mark.parametrize("mode", MODES)
def test_every_mode(results, mode):
    (_, ordinary), *others = results[mode]
    expected_output = without_times(ordinary["stdout"])
    expected_lines = ordinary["stderr"].splitlines()
    assert expected_output or mode in ("files", "usage", "no-model")
    for case, result in others:
        told = result["stderr"].splitlines()
        output_fails = case["stdout"] not in states.TAKING_STATES and bool(expected_output)
        input_fails = mode in INPUT_MODES and case["stdin"] != "file"
        context = f"{case} gave {result}"
        if input_fails or output_fails:
            assert result["status"] == 1, context
        else:
            assert result["status"] == ordinary["status"], context
        # What was written is all of it, and nothing else.
        if input_fails:
            assert result["stdout"] == "", context
        elif case["stdout"] == "terminal" and mode.startswith("listen"):
            assert "hello world" in result["stdout"], context
        elif case["stdout"] in states.TAKING_STATES:
            assert without_times(result["stdout"]) == expected_output, context
        # What was told is what else is told, and one line if something failed.
        if case["stderr"] in states.TAKING_STATES:
            if input_fails:
                assert len(told) == 1, context
                assert told[0].startswith("asr-run: -: "), context
            elif output_fails and case["stdout"] != "broken":
                assert told[-1].startswith("asr-run: standard output cannot be written ("), context
                assert set(told[:-1]) <= set(expected_lines), context
            elif output_fails:
                assert set(told) <= set(expected_lines), context
            else:
                assert told == expected_lines, context
            assert "Traceback" not in result["stderr"], context


def test_files_are_written_whatever_the_streams_are(results, folder):
    results["files"]
    assert (folder / "out" / "1.txt").read_text() == "hello world\n"
    assert (folder / "out" / "2.txt").read_text() == "it's two\n"
    assert sorted(path.name for path in (folder / "out").iterdir()) == ["1.txt", "2.txt"]


def command(model_file, *arguments):
    options = ["--model", str(model_file), "--device", "cpu"]
    return [sys.executable, "-m", "asr_runtime", *options, *map(str, arguments)]


@pytest.mark.parametrize("closed", [(0, 1, 2), (2,)])
def test_workers_and_a_fresh_start(model_file, folder, tmp_path, closed):
    """Here the command itself is started, and starts others."""
    program = (
        "import os, sys\n"
        "for number in map(int, sys.argv[1]): os.close(number)\n"
        "os.execv(sys.argv[2], sys.argv[2:])\n"
    )
    arguments = command(model_file, folder / "1.wav", folder / "2.wav", "--workers", "2")
    if 1 in closed:
        arguments += ["--output-dir", str(tmp_path)]
    numbers = "".join(map(str, closed))
    done = subprocess.run(
        [sys.executable, "-c", program, numbers, *arguments], capture_output=True, check=True
    )
    if 1 in closed:
        assert (tmp_path / "1.txt").read_bytes() == b"hello world\n"
        assert (tmp_path / "2.txt").read_bytes() == b"it's two\n"
        assert done.stdout == b""
    else:
        assert done.stdout.count(b": hello world\n") == done.stdout.count(b": it's two\n") == 1
        assert done.stdout.count(b"\n") == 2


def test_a_full_disk_while_workers_work(model_file, folder):
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            command(model_file, folder / "1.wav", folder / "2.wav", "--workers", "2"),
            stdout=full,
            stderr=subprocess.PIPE,
        )
    assert done.returncode == 1
    assert done.stderr.startswith(b"asr-run: standard output cannot be written (No space left")
    assert done.stderr.count(b"\n") == 1
