"""The formats of ``asr-run``: subtitles, tables and JSON, on standard output and in files."""

from __future__ import annotations

import base64
import json
import os
import pickle
import sys
from importlib import resources
from pathlib import Path

import jsonschema
import numpy as np
import pysubs2
import pytest
import soundfile

from asr_runtime.command import cli
from asr_runtime.transcript import Transcript

SCHEMA = json.loads(resources.files("asr_runtime").joinpath("transcript.schema.json").read_text())
SENTENCES = ["hello world", "it's a test", "book keeper", "again and again"] * 10


@pytest.fixture
def run(run_command_line, model_file):
    def call(*arguments):
        return run_command_line(cli.main, "--model", model_file, "--device", "cpu", *arguments)

    return call


@pytest.fixture
def long_file(speak, tmp_path):
    """A recording of more than a minute, which is transcribed in windows."""
    pause = np.zeros(16000, np.float32)
    path = tmp_path / "long.wav"
    parts = [part for text in SENTENCES for part in (speak(text), pause)]
    soundfile.write(path, np.concatenate(parts), 16000)
    return path


def check_schema(found):
    """Compare an object with the schema, which describes every field that there is."""
    jsonschema.Draft202012Validator(SCHEMA).validate(found)
    assert found.keys() <= SCHEMA["properties"].keys()


@pytest.mark.parametrize("form", ["srt", "vtt", "tsv"])
@pytest.mark.parametrize("name", ["long", "one"])
def test_what_is_written_bit_by_bit_is_that_of_the_transcript(
    run, recognizer, clips, long_file, form, name
):
    file = long_file if name == "long" else clips["one.wav"]
    transcript = recognizer.transcribe(file)
    assert run("--format", form, file) == (0, getattr(transcript, f"to_{form}")(), "")


def test_subtitles_can_be_read_back(run, long_file):
    _, output, _ = run("--format", "srt", long_file)
    subtitles = pysubs2.SSAFile.from_string(output)
    assert " ".join(line.plaintext.replace("\n", " ") for line in subtitles) == " ".join(SENTENCES)


def test_word_times(run, clips, recognizer):
    _, output, _ = run("--format", "vtt", "--word-times", clips["one.wav"])
    second = recognizer.transcribe(clips["one.wav"]).words[1]
    assert f"hello <00:00:0{second.start:.3f}>world\n" in output
    assert output == recognizer.transcribe(clips["one.wav"]).to_vtt(word_times=True)


def test_table(run, clips, recognizer):
    words = recognizer.transcribe(clips["one.wav"]).words
    start, end = round(words[0].start * 1000), round(words[-1].end * 1000)
    expected = f"start\tend\ttext\n{start}\t{end}\thello world\n"
    assert run("--format", "tsv", clips["one.wav"]) == (0, expected, "")


def test_subtitles_have_the_readable_words(run, clips, punctuation_model_file):
    arguments = ["--punctuation-model", punctuation_model_file, clips["one.wav"]]
    _, text, _ = run(*arguments)
    _, subtitles, _ = run("--format", "srt", *arguments)
    assert text != "hello world\n"
    assert subtitles.splitlines()[2] == text.strip()


def test_silence(run, tmp_path):
    path = tmp_path / "silence.wav"
    soundfile.write(path, np.zeros(16000), 16000)
    for form, expected in [("srt", ""), ("vtt", "WEBVTT\n\n"), ("tsv", "start\tend\ttext\n")]:
        assert run("--format", form, path)[:2] == (0, expected)


def test_json_keeps_to_the_schema(run, clips, long_file, recognizer, punctuation_model_file):
    _, output, _ = run("--format", "json", long_file, *clips.values())
    found = [json.loads(line) for line in output.splitlines()]
    assert len(found) == 4
    _, output, _ = run(
        "--format", "json", "--punctuation-model", punctuation_model_file, clips["one.wav"]
    )
    assert "readable" in json.loads(output)
    for each in [*found, json.loads(output), recognizer.transcribe(long_file).to_dict()]:
        check_schema(each)
    _, output, _ = run("--format", "json", "--channels", "1", clips["one.wav"])
    check_schema(json.loads(output))
    with pytest.raises(jsonschema.ValidationError):
        check_schema({**found[0], "format_version": 2})


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="file names must be Unicode")
def test_odd_file_names(run, clips, tmp_path):
    odd = os.fsdecode(os.fsencode(tmp_path) + b"/\xff\nb.wav")
    Path(odd).write_bytes(Path(clips["one.wav"]).read_bytes())
    status, output, _ = run("--format", "json", odd)
    found = json.loads(output)
    check_schema(found)
    output.encode("ascii")
    assert (status, found["file"]) == (0, f"{tmp_path}/\\xff\nb.wav")
    assert base64.b64decode(found["file_base64"]) == os.fsencode(odd)
    json.dumps(found, ensure_ascii=False).encode("utf-8")  # strict readers take no half characters

    line_feed = tmp_path / "a\nb.wav"
    line_feed.write_bytes(Path(clips["one.wav"]).read_bytes())
    _, output, _ = run(line_feed, clips["three.ogg"])
    assert output == f"{tmp_path}/a\\nb.wav: hello world\n{clips['three.ogg']}: c\n"


def test_pickles(recognizer, long_file):
    transcript = recognizer.transcribe(long_file)
    again = pickle.loads(pickle.dumps(transcript))
    assert isinstance(again, Transcript)
    assert again == transcript
    assert (again.words, again.to_srt()) == (transcript.words, transcript.to_srt())


class TestOutputFolder:
    def test_one_file_an_input(self, run, clips, recognizer, tmp_path):
        folder = tmp_path / "a" / "b"
        status, output, errors = run("--format", "srt", "--output-dir", folder, *clips.values())
        assert (status, output) == (0, "")
        assert errors == "asr-run: 3 of 3 files transcribed\n"
        assert sorted(path.name for path in folder.iterdir()) == ["one.srt", "three.srt", "two.srt"]
        expected = recognizer.transcribe(clips["two.flac"]).to_srt()
        assert (folder / "two.srt").read_text() == expected

    def test_text_and_json(self, run, clips, tmp_path):
        run("--output-dir", tmp_path / "out", clips["one.wav"])
        run("--output-dir", tmp_path / "out", "--format", "json", clips["one.wav"])
        assert (tmp_path / "out" / "one.txt").read_text() == "hello world\n"
        check_schema(json.loads((tmp_path / "out" / "one.json").read_text()))

    def test_nothing_is_left_of_a_file_that_fails_in_the_middle(self, run, long_file, tmp_path):
        samples, _ = soundfile.read(long_file, dtype="float32")
        soundfile.write(long_file, np.append(samples, np.float32(np.nan)), 16000, "FLOAT")
        status, output, errors = run("--format", "srt", "--output-dir", tmp_path / "out", long_file)
        assert (status, output, errors.count("\n")) == (1, "", 1)
        assert "was printed" not in errors
        assert list((tmp_path / "out").iterdir()) == []

    def test_two_inputs_with_one_name(self, run, clips, tmp_path, monkeypatch):
        other = tmp_path / "one.mp3"
        other.write_bytes(b"x")
        status, output, errors = run("--output-dir", tmp_path / "out", clips["one.wav"], other)
        assert (status, output, errors.count("\n")) == (1, "", 1)
        assert f"{clips['one.wav']} and {other} would both be written there" in errors
        assert not (tmp_path / "out").exists()

    def test_folder_that_cannot_be_written(self, run, clips, tmp_path):
        (tmp_path / "file").write_text("")
        for folder in (tmp_path / "file", tmp_path / "file" / "below"):
            status, output, errors = run("--output-dir", folder, clips["one.wav"], "none.wav")
            assert (status, output, errors.count("\n")) == (1, "", 1)
            assert "cannot be written to" in errors

    def test_skip_existing(self, run, clips, tmp_path):
        (tmp_path / "one.txt").write_text("kept")
        arguments = ["--output-dir", tmp_path, "--skip-existing", *clips.values()]
        status, _, errors = run(*arguments)
        assert status == 0
        assert "2 of 3 files transcribed, 1 skipped" in errors
        assert (tmp_path / "one.txt").read_text() == "kept"
        assert (tmp_path / "two.txt").read_text() == "it's two\n"
        # Where nothing is left to do, no model is needed.
        assert run(*arguments, "--model", "none.onnx")[0] == 0


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--format", "docx"], "'docx' is not one of"),
        (["--format", "srt", "two.wav"], "needs --output-dir"),
        (["--format", "srt", "--channels", "separate"], "has no place for several channels"),
        (["--skip-existing"], "--skip-existing needs --output-dir"),
        (["--word-times"], "--word-times needs --format vtt"),
        (["--workers", "2", "-"], "standard input cannot be shared"),
    ],
)
def test_what_does_not_go_together(run, arguments, problem):
    status, output, errors = run("one.wav", *arguments)
    assert (status, output) == (2, "")
    assert problem in errors
