"""Folders and patterns, files shared over processes, and what an interruption leaves."""

from __future__ import annotations

import io
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

from asr_runtime.command import cli
from asr_runtime.command.file_transcription import ReadingOptions, WritingOptions
from asr_runtime.command.inputs import find_inputs
from asr_runtime.command.loading import LoadingOptions
from asr_runtime.command.options import Device
from asr_runtime.command.output_files import replaced_file
from asr_runtime.command.progress_bar import FilesBar
from asr_runtime.command.workers import Job, WorkerError, Workers

TEXTS = {"one": "hello world", "two": "it's two", "three": "c"}


@pytest.fixture
def run(run_command_line, model_file):
    def call(*arguments):
        return run_command_line(cli.main, "--model", model_file, "--device", "cpu", *arguments)

    return call


@pytest.fixture
def folder(tmp_path, clips):
    """The three clips, two of them in folders below, and files that are no audio."""
    folder = tmp_path / "in"
    for clip, place in zip(clips.values(), [".", "a", "a/b"], strict=True):
        (folder / place).mkdir(parents=True, exist_ok=True)
        shutil.move(clip, folder / place / Path(clip).name)
    for name in ("notes.txt", ".hidden.wav"):
        (folder / name).write_text("no audio")
    return folder


@pytest.fixture
def slow(speak, tmp_path):
    """A recording that takes long enough to be interrupted."""
    path = tmp_path / "slow.wav"
    samples = np.concatenate([speak("hello world"), np.zeros(8000, np.float32)] * 300)
    soundfile.write(path, np.tile(samples, 10), 16000)
    return path


@pytest.fixture
def loading(model_file):
    return LoadingOptions(str(model_file), Device.cpu, 1)


class TestInputs:
    def test_folder(self, run, folder):
        expected = f"{folder}/one.wav: hello world\n"
        assert run(folder) == (0, expected, "")
        expected = f"{folder}/a/b/three.ogg: c\n{folder}/a/two.flac: it's two\n"
        _, output, _ = run(folder, "--recursive")
        assert sorted(output.splitlines()) == [
            f"{folder}/a/b/three.ogg: c",
            f"{folder}/a/two.flac: it's two",
            f"{folder}/one.wav: hello world",
        ]

    def test_pattern(self, run, folder):
        assert run(f"{folder}/a/*.fl*") == (0, "it's two\n", "")
        names = [each.file for each in find_inputs([f"{folder}/**/*.[fo]*"])[0]]
        assert names == [f"{folder}/a/b/three.ogg", f"{folder}/a/two.flac"]

    def test_nothing_there(self, run, folder, tmp_path):
        (tmp_path / "empty").mkdir()
        status, output, errors = run(tmp_path / "empty", f"{folder}/*.mp3", folder)
        assert (status, output) == (1, f"{folder}/one.wav: hello world\n")
        assert "empty: is a folder without audio files" in errors
        assert "*.mp3: no file has a name of this pattern" in errors
        assert errors.count("\n") == 2

    def test_output_has_the_folders(self, run, folder, tmp_path):
        out = tmp_path / "out"
        assert run(folder, "--recursive", "--output-dir", out)[0] == 0
        found = {str(path.relative_to(out)) for path in out.rglob("*.txt")}
        assert found == {"one.txt", "a/two.txt", "a/b/three.txt"}


class TestWorkers:
    def test_same_output_in_the_same_order(self, run, clips, tmp_path):
        bad = tmp_path / "bad.wav"
        bad.write_bytes(b"no audio")
        files = [clips["three.ogg"], bad, clips["one.wav"], clips["two.flac"]]
        alone = run(*files)
        assert alone[0] == 1
        status, output, errors = run("--workers", "2", *files)
        assert (status, output) == alone[:2]
        assert errors == alone[2] + "asr-run: 3 of 4 files transcribed, 1 failed\n"

    def test_a_model_that_cannot_be_loaded_is_one_line(self, run, clips):
        status, output, errors = run("--model", "none.onnx", "--workers", "2", *clips.values())
        assert (status, output) == (1, "")
        assert errors == "asr-run: none.onnx: there is no such model file; check the path\n"

    def test_a_worker_that_is_killed(self, loading, slow, clips):
        jobs = [Job(0, str(slow)), *(Job(i, file) for i, file in enumerate(clips.values(), 1))]
        with Workers(1, loading, ReadingOptions(), WritingOptions()) as workers:
            killed = []

            def kill():
                worker = workers._workers[0]
                if worker.job == jobs[0] and not killed:
                    killed.append(worker.process.pid)
                    worker.process.kill()

            results = list(workers.run(jobs, print, kill))
        assert len(killed) == 1
        assert [result.job for result in results] == jobs
        assert "the worker that read it was ended by SIGKILL" in results[0].problem
        assert [result.output for result in results[1:]] == ["hello world\n", "it's two\n", "c\n"]

    def test_workers_that_cannot_start(self, loading, clips):
        with Workers(2, loading, ReadingOptions(), WritingOptions()) as workers:
            for worker in workers._workers:
                worker.process.kill()
            with pytest.raises(WorkerError, match="fewer --workers"):
                list(workers.run([Job(0, clips["one.wav"])], print))


def start(model_file, *arguments):
    return subprocess.Popen(
        [sys.executable, "-m", "asr_runtime", "--model", str(model_file), "--device", "cpu"]
        + [str(argument) for argument in arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def wait_for(condition):
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")
class TestInterruption:
    @pytest.fixture
    def many(self, tmp_path, slow, clips):
        """A slow file among quick ones, each with its text."""
        folder = tmp_path / "in"
        folder.mkdir()
        for number in range(6):
            shutil.copy(clips["one.wav"], folder / f"{number}.wav")
        shutil.copy(slow, folder / "slow.wav")
        return folder

    def test_killed_and_started_again(self, run, many, model_file, tmp_path):
        out = tmp_path / "out"
        arguments = [many, "--output-dir", out, "--skip-existing"]
        process = start(model_file, *arguments, "--workers", "2")
        wait_for(lambda: len(list(out.glob("*.txt"))) >= 2)
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        done = {path: (path.read_text(), path.stat().st_mtime_ns) for path in out.glob("*.txt")}
        assert 2 <= len(done) < 7
        assert {text for text, _ in done.values()} == {"hello world\n"}
        status, _, errors = run(*arguments)
        assert status == 0
        assert errors.endswith(
            f"{7 - len(done)} of 7 files transcribed, "
            f"{len(done)} skipped because their transcripts are there\n"
        )
        assert len(list(out.glob("*.txt"))) == 7
        assert (out / "slow.txt").read_text().count("hello world") == 3000
        assert all(path.stat().st_mtime_ns == changed for path, (_, changed) in done.items())

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_no_worker_and_no_draft_stays(self, many, model_file, tmp_path, number):
        out = tmp_path / "out"
        process = start(model_file, many, "--output-dir", out, "--workers", "2")
        wait_for(lambda: len(list(out.glob("*.txt"))) >= 1)
        # Ctrl-C in a terminal reaches the workers too.
        os.killpg(process.pid, number)
        _, errors = process.communicate(timeout=30)  # ends when no process has the pipe any more
        assert process.returncode in (130, 128 + number, -number)
        assert b"Traceback" not in errors
        wait_for(lambda: not list(out.glob(".asr-run-*")))


def test_abandoned_drafts_are_removed(run, clips, tmp_path):
    old, new, other = tmp_path / ".asr-run-a.part", tmp_path / ".asr-run-b.part", tmp_path / "c"
    for path in (old, new, other):
        path.write_text("")
    os.utime(old, (0, 0))
    os.utime(other, (0, 0))
    assert run(clips["one.wav"], "--output-dir", tmp_path)[0] == 0
    assert (old.exists(), new.exists(), other.exists()) == (False, True, True)


def test_a_file_takes_its_place_when_it_is_complete(tmp_path):
    path = tmp_path / "file"
    path.write_text("old")
    with replaced_file(path) as file:
        file.write("ne")
        file.flush()
        assert path.read_text() == "old"
        file.write("w\n")
    assert path.read_bytes() == b"new\n"

    def fail():
        with replaced_file(path) as file:
            file.write("half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert [each.read_bytes() for each in tmp_path.iterdir()] == [b"new\n"]


def test_a_signal_right_after_a_draft_was_made(tmp_path, monkeypatch):
    def interrupted(path, *_, **__):
        open(path, "x").close()
        assert len(list(tmp_path.iterdir())) == 1
        raise KeyboardInterrupt

    # What makes the file, however it is made.
    monkeypatch.setattr("asr_runtime.command.output_files.open", interrupted, raising=False)
    monkeypatch.setattr("os.open", interrupted)
    with pytest.raises(KeyboardInterrupt), replaced_file(tmp_path / "file"):
        pass
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")
def test_a_worker_that_leaves_is_not_stopped_by_another_signal():
    program = (
        "import os, signal\n"
        "from asr_runtime.command.workers import _leave\n"
        "signal.signal(signal.SIGTERM, _leave)\n"
        "try:\n    os.kill(os.getpid(), signal.SIGTERM)\n"
        "finally:\n    os.kill(os.getpid(), signal.SIGTERM)\n    print('removed')\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, timeout=60)
    assert (done.returncode, done.stdout) == (128 + signal.SIGTERM, b"removed\n")


def test_progress_of_files():
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    now, screen = [0.0], Terminal()
    bar = FilesBar([100, 300], screen, io.StringIO(), lambda: now[0])
    bar.begin_file(0, 10.0)
    bar.end_file(0)
    bar.begin_file(1, 20.0)
    now[0] = 10.0
    bar.update(10.0)  # 100 of 400 bytes, and half of 300: another 6 seconds at this rate
    assert "62%  1 of 2 files  0:06 left" in screen.getvalue()
