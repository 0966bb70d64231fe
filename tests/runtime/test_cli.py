"""``asr-run``: what goes to standard output and error, and the exit status."""

import io
import json
import os
import re
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from asr_runtime import __version__
from asr_runtime import recognizer as recognizer_module
from asr_runtime.command import cli, file_transcription
from asr_runtime.decoding import decoder_choice


@pytest.fixture
def asr_run(model_file, monkeypatch, capsys):
    """Run the command in this process; returns (exit status, output lines, error lines)."""

    def run(*arguments, stdin=b"", model=model_file):
        chosen = [] if model is None else ["--model", str(model)]
        if "--device" not in arguments:
            chosen += ["--device", "cpu"]
        monkeypatch.setattr(sys, "argv", ["asr-run", *chosen, *map(str, arguments)])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        with pytest.raises(SystemExit) as caught:
            cli.main()
        output, errors = capsys.readouterr()
        return caught.value.code or 0, output.splitlines(), errors.splitlines()

    return run


def command(model_file, *arguments):
    options = ["--model", str(model_file), "--device", "cpu"]
    return [sys.executable, "-m", "asr_runtime", *options, *map(str, arguments)]


def test_one_file_gives_its_text(asr_run, clips):
    assert asr_run(clips["one.wav"]) == (0, ["hello world"], [])


def test_several_files_are_named(asr_run, clips):
    status, output, errors = asr_run(*clips.values())
    assert (status, errors) == (0, [])
    assert output == [
        f"{clips['one.wav']}: hello world",
        f"{clips['two.flac']}: it's two",
        f"{clips['three.ogg']}: c",
    ]


def test_standard_input(asr_run, clips):
    assert asr_run("-", stdin=Path(clips["two.flac"]).read_bytes()) == (0, ["it's two"], [])
    status, output, errors = asr_run("-", stdin=b"")
    assert (status, output) == (1, [])
    assert len(errors) == 1
    assert errors[0].startswith("asr-run: -: is empty")


def test_bad_file_among_good_ones(asr_run, clips, tmp_path):
    bad = tmp_path / "bad.wav"
    bad.write_bytes(b"not audio at all, certainly")
    short = tmp_path / "short.wav"
    soundfile.write(short, np.zeros(10), 16000)
    status, output, errors = asr_run(clips["one.wav"], bad, "none.wav", short, clips["three.ogg"])
    assert status == 1
    assert output == [f"{clips['one.wav']}: hello world", f"{clips['three.ogg']}: c"]
    assert len(errors) == 3
    assert errors[0].startswith(f"asr-run: {bad}: is not audio that can be read")
    assert errors[1].startswith("asr-run: none.wav: there is no such file; ")
    assert re.match(rf"asr-run: {re.escape(str(short))}: it is 0\.0006 s long", errors[2])


def test_json_is_one_object_a_line(asr_run, clips, model_file):
    status, output, errors = asr_run("--format", "json", "--device", "cpu", *clips.values())
    assert (status, errors, len(output)) == (0, [], 3)
    first = json.loads(output[0])
    assert first["file"] == clips["one.wav"]
    assert first["text"] == "hello world"
    assert 0.9 < first["confidence"] <= 1
    assert first["duration"] == pytest.approx(1.71)
    assert [word["text"] for word in first["words"]] == ["hello", "world"]
    assert "".join(token["text"] for token in first["tokens"]) == "hello world"
    assert (
        set(first["words"][0])
        == set(first["tokens"][0])
        == {
            "text",
            "start",
            "end",
            "confidence",
        }
    )
    assert first["words"][1]["start"] == pytest.approx(0.96, abs=0.031)
    assert first["provider"] == "CPUExecutionProvider"
    assert first["model"] == model_file.name
    assert first["processing_seconds"] > 0
    assert first["real_time_factor"] == pytest.approx(first["processing_seconds"] / 1.71, abs=1e-3)


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--device", "tpu", "a.wav"],
        ["--format", "xml", "a.wav"],
        ["--threads", "0", "a.wav"],
        ["--threads", "many", "a.wav"],
        ["--nonsense", "a.wav"],
        ["--decoder", "best", "a.wav"],
    ],
)
def test_wrong_usage(asr_run, arguments):
    status, output, errors = asr_run(*arguments)
    assert (status, output) == (2, [])
    assert "Error: " in errors[-1]


def test_version_needs_no_file(asr_run):
    assert asr_run("--version", model=None) == (0, [f"asr-run {__version__}"], [])


def test_help(asr_run):
    status, output, _ = asr_run("--help")
    assert status == 0
    text = "\n".join(output)
    for option in (
        "--model",
        "--device",
        "--threads",
        "--format",
        "--version",
        "--decoder",
        "--hotword",
        "asr-run listen",
        "asr-run doctor",
    ):
        assert option in text


@pytest.mark.parametrize("name", ["none.onnx", "line\nbreak.onnx"])
def test_model_error_stops_at_once(asr_run, clips, name):
    status, output, errors = asr_run(clips["one.wav"], "none.wav", model=name)
    assert (status, output) == (1, [])
    assert errors == [
        f"asr-run: {' '.join(name.split())}: there is no such model file; check the path"
    ]


def test_names_cannot_break_a_line_or_the_terminal(asr_run, clips, tmp_path):
    odd = tmp_path / "a\n\x1bcb.wav"
    odd.write_bytes(Path(clips["one.wav"]).read_bytes())
    status, output, errors = asr_run(odd, f"{odd}-none")
    assert (status, len(output), len(errors)) == (1, 1, 1)
    assert output[0].endswith("a\\n\\x1bcb.wav: hello world")
    assert "a \\x1bcb.wav-none: there is no such file" in errors[0]


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="file names must be Unicode")
@pytest.mark.parametrize("command", ["align", "doctor"])
def test_json_has_no_half_characters(asr_run, clips, monkeypatch, model_file, tmp_path, command):
    odd = os.fsdecode(os.fsencode(tmp_path) + b"/\xff")
    if command == "align":
        Path(odd).write_bytes(Path(clips["one.wav"]).read_bytes())
        (tmp_path / "said.txt").write_text("hello world")
        arguments = [odd, tmp_path / "said.txt", "--model", model_file]
    else:
        Path(odd).write_bytes(model_file.read_bytes())
        arguments = ["--model", odd]
    arguments = ["asr-run", command, *map(str, arguments), "--device", "cpu", "--format", "json"]
    monkeypatch.setattr(sys, "argv", arguments)
    written = io.StringIO()
    monkeypatch.setattr(sys, "stdout", written)
    with pytest.raises(SystemExit):
        cli.main()
    shown = json.loads(written.getvalue())
    assert "\\xff" in (shown["file"] if command == "align" else shown["model"]["file"])
    json.dumps(shown, ensure_ascii=False).encode()  # half of a pair cannot be encoded


def test_absent_default_model(asr_run, clips, monkeypatch, tmp_path):
    monkeypatch.setattr(recognizer_module, "DEFAULT_MODEL", tmp_path / "edge.onnx")
    status, output, errors = asr_run(clips["one.wav"], model=None)
    assert (status, output, len(errors)) == (1, [], 1)
    assert "this installation has no default model" in errors[0]


def test_device_error_stops_at_once(asr_run, clips, monkeypatch):
    import onnxruntime

    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CPUExecutionProvider"])
    status, output, errors = asr_run("--device", "cuda", clips["one.wav"], clips["two.flac"])
    assert (status, output, len(errors)) == (1, [], 1)
    assert errors[0].startswith("asr-run: CUDA cannot be used: ")


def test_warning_is_one_line(asr_run, clips, monkeypatch):
    from asr_runtime.inference import device

    monkeypatch.setattr(device, "expects_cuda", lambda onnxruntime: True)
    monkeypatch.setattr(device, "cuda_obstacle", lambda onnxruntime: "the driver is missing")
    status, output, errors = asr_run("--device", "auto", clips["one.wav"])
    assert (status, output) == (0, ["hello world"])
    assert errors == ["asr-run: warning: using the CPU, because the driver is missing"]


def test_programming_error_keeps_its_traceback(clips, monkeypatch, model_file):
    def broken(*arguments, **options):
        raise ZeroDivisionError("bug")

    monkeypatch.setattr(file_transcription, "transcribe_file", broken)
    monkeypatch.setattr(sys, "argv", ["asr-run", "--model", str(model_file), clips["one.wav"]])
    with pytest.raises(ZeroDivisionError, match="bug"):
        cli.main()


class TestDecoder:
    @pytest.fixture
    def words(self, save_language_model):
        return save_language_model(["hello", "world", "it's", "two", "c"], ["hello world"] * 5)

    def decoder(self, asr_run, *arguments):
        status, output, errors = asr_run("--format", "json", *arguments)
        assert (status, errors) == (0, [])
        return json.loads(output[0])["decoder"]

    def test_default_is_greedy_with_another_model(self, asr_run, clips, words):
        assert self.decoder(asr_run, clips["one.wav"]) == "greedy"
        assert self.decoder(asr_run, clips["one.wav"], "--language-model", words) == "beam"

    def test_beam(self, asr_run, clips, words):
        arguments = ["--decoder", "beam", "--language-model", words]
        assert asr_run(clips["one.wav"], *arguments) == (0, ["hello world"], [])
        status, output, _ = asr_run(*clips.values(), "--format", "json", *arguments)
        assert status == 0
        first = json.loads(output[0])
        assert [word["text"] for word in first["words"]] == ["hello", "world"]
        assert first["words"][1]["start"] == pytest.approx(0.96, abs=0.031)
        assert first["confidence"] > 0.9

    def test_hotwords(self, asr_run, clips, words):
        arguments = ["--language-model", words, "--hotword", "Hello", "--hotword", "World C"]
        assert asr_run(clips["one.wav"], *arguments) == (0, ["hello world"], [])

    @pytest.mark.parametrize(
        ("arguments", "problem"),
        [
            (["--decoder", "greedy", "--hotword", "x"], "the greedy decoder takes no "),
            (["--decoder", "greedy", "--language-model", "x"], "the greedy decoder takes no "),
            (["--language-model", "none.lm"], "none.lm: there is no such language model"),
            (["--language-model", __file__], "is not a language model"),
            (["--hotword", "naïve"], "'ï', which the model cannot write"),
        ],
    )
    def test_what_does_not_fit_is_one_line(self, asr_run, clips, words, arguments, problem):
        if "--hotword" in arguments and "greedy" not in arguments:
            arguments = [*arguments, "--language-model", words]
        status, output, errors = asr_run(clips["one.wav"], *arguments)
        assert (status, output, len(errors)) == (1, [], 1)
        assert problem in errors[0]

    def test_installation_without_language_model(self, asr_run, clips, monkeypatch, tmp_path):
        absent = tmp_path / "english.lm"
        monkeypatch.setattr(decoder_choice, "DEFAULT_LANGUAGE_MODEL", absent)
        status, output, errors = asr_run(clips["one.wav"], "--decoder", "beam")
        assert (status, output, len(errors)) == (1, [], 1)
        assert "no default language model" in errors[0]


def test_threads(asr_run, clips):
    assert asr_run("--threads", "1", clips["one.wav"]) == (0, ["hello world"], [])
