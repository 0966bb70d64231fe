"""Damaged files: how they are made, how they are tried, and what the runtime does with some."""

import importlib.util
import io
import json
import os
import random
import signal
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import onnx
import pytest
import soundfile

from asr_bench import cli
from asr_bench.fuzzing import seeds, trial
from asr_bench.fuzzing.campaign import Campaign
from asr_bench.fuzzing.mutations import mutate_bytes, overwrite_bytes
from asr_bench.fuzzing.protobuf_mutations import mutate_protobuf
from asr_bench.fuzzing.repairs import repair_language_model, repair_ogg
from asr_bench.fuzzing.report import FuzzReport
from asr_bench.fuzzing.seeds import Seed, Target
from asr_bench.fuzzing.worker import Limits, Worker
from asr_runtime import AudioFileError, LanguageModelError
from asr_runtime.language.language_model_file import read_language_model


def of_runtime_tests(name: str) -> ModuleType:
    """A module beside the runtime's tests, which are no package."""
    path = Path(__file__).parents[1] / "runtime" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"runtime_tests_{name}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def small_model() -> bytes:
    return of_runtime_tests("conftest").make_tone_model().SerializeToString()


@pytest.fixture(scope="module")
def small_language_model() -> bytes:
    made = of_runtime_tests("language_models")
    words = ["cat", "hat", "mat", "on", "sat", "the"]
    return made.file_bytes(made.ToyModel(words, ["the cat sat on the mat", "the hat sat"] * 3))


@pytest.fixture
def audio() -> Target:
    return seeds.audio()


class TestDamage:
    @pytest.mark.parametrize("mutation", [mutate_bytes, mutate_protobuf, overwrite_bytes])
    def test_is_repeatable_and_does_something(self, small_model, mutation):
        damaged = [mutation(small_model, random.Random(seed)) for seed in range(50)]
        assert damaged == [mutation(small_model, random.Random(seed)) for seed in range(50)]
        assert len(set(damaged)) > 40
        assert sum(each != small_model for each in damaged) > 40

    def test_parts_of_a_protobuf_stay_readable(self, small_model):
        """Most get past the reader, to what is behind it."""
        readable = 0
        for seed in range(100):
            try:
                model = onnx.load_from_string(mutate_protobuf(small_model, random.Random(seed)))
            except Exception:
                continue
            readable += len(model.graph.node) > 10
        assert readable > 50

    @pytest.mark.parametrize("content", [b"", b"\x00", b"\xff" * 20, b"\x0a\xff\xff\xff\xff\x7f"])
    def test_of_anything(self, content):
        for seed in range(20):
            mutate_bytes(content, random.Random(seed))
            mutate_protobuf(content, random.Random(seed))
            overwrite_bytes(content, random.Random(seed))
            repair_ogg(content)
            repair_language_model(content)

    def test_overwriting_keeps_the_beginning_and_the_size(self):
        for seed in range(20):
            damaged = overwrite_bytes(bytes(100), random.Random(seed), 60)
            assert damaged[:60] == bytes(60)
            assert len(damaged) == 100

    def test_ogg_checksums(self, audio):
        content = next(seed.content for seed in audio.seeds if seed.name.endswith(".ogg"))
        assert repair_ogg(content) == content
        damaged = bytearray(content)
        damaged[22] ^= 1  # the first page's checksum, without which there is no stream
        with pytest.raises(soundfile.LibsndfileError):
            soundfile.read(io.BytesIO(damaged))
        assert repair_ogg(bytes(damaged)) == content

    def test_language_model_checksum(self, small_language_model, tmp_path):
        path = tmp_path / "a.lm"
        damaged = small_language_model + b"\0"
        path.write_bytes(damaged)
        with pytest.raises(LanguageModelError, match="is cut off"):
            read_language_model(path)
        path.write_bytes(repair_language_model(damaged))
        assert read_language_model(path).words[0] == "cat"

    def test_every_promised_format_is_tried(self, audio):
        chosen = {audio.damaged(1, index)[0].name.split("-")[1] for index in range(200)}
        assert {"pcm_16", "float", "vorbis", "opus", "mpeg_layer_iii"} <= chosen

    def test_file_of_a_number_does_not_depend_on_others(self, audio):
        assert audio.damaged(3, 7) == audio.damaged(3, 7)
        assert audio.damaged(3, 7) != audio.damaged(4, 7)


class TestOutcome:
    @pytest.fixture
    def outcome(self, tmp_path):
        def of(attempt):
            with (tmp_path / "stderr").open("w+b") as complaints:
                return trial._outcome(
                    lambda path: attempt(complaints), tmp_path / "file", complaints
                )

        return of

    @pytest.mark.parametrize(
        ("error", "kind", "is_finding"),
        [
            (AudioFileError("is empty"), "AudioFileError", False),
            (AudioFileError("memory does not suffice"), "memory", True),
            (MemoryError(), "memory", True),
            (ZeroDivisionError("bug"), "bug", True),
            (RecursionError(), "bug", True),
        ],
    )
    def test_errors(self, outcome, error, kind, is_finding):
        def fail(_):
            raise error

        found = outcome(fail)
        assert (found.kind, found.is_finding) == (kind, is_finding)
        assert ("Traceback" in found.message) == (kind == "bug" or isinstance(error, MemoryError))

    def test_traceback_that_only_a_terminal_sees(self, outcome):
        def complain(complaints):
            complaints.write(b"From cffi callback:\nTraceback (most recent call last)\n")
            complaints.flush()

        assert outcome(complain).kind == trial.NOISE
        assert outcome(lambda complaints: None).kind == trial.OK


class TestWorker:
    @pytest.mark.skipif(sys.platform == "win32", reason="signals")
    def test_crashes_and_hangs_are_noticed_and_survived(self, small_language_model, tmp_path):
        target = Target(seeds.LANGUAGE_MODELS, [Seed("a.lm", small_language_model)], mutate_bytes)
        worker = Worker(target, tmp_path / "file", Limits(seconds=20))
        try:
            os.kill(worker._process.pid, signal.SIGSTOP)
            worker.give(1, ".lm", small_language_model)
            os.kill(worker._process.pid, signal.SIGKILL)
            outcome = worker.take()
            assert outcome.kind == trial.CRASH
            assert f"status -{int(signal.SIGKILL)}" in outcome.message
            worker.give(2, ".lm", b"none")
            assert worker.take().kind == "LanguageModelError"
            os.kill(worker._process.pid, signal.SIGSTOP)
            worker.give(3, ".lm", small_language_model)
            worker.expires = 0.0
            assert worker.take().kind == trial.HANG
            worker.give(4, ".lm", small_language_model)
            assert worker.take().kind == trial.OK
        finally:
            worker.stop()


def clean(result, tried: int) -> None:
    messages = [f"{finding.file}: {finding.message}" for finding in result.findings]
    assert messages == []
    assert result.tried == sum(result.outcomes.values()) == tried


class TestCampaign:
    def test_models(self, small_model, tmp_path):
        target = Target(seeds.MODELS, [Seed("small.onnx", small_model)], seeds._mutate_model)
        result = Campaign(1, tmp_path / "findings", workers=2).run(target, 60)
        clean(result, 60)
        assert result.outcomes["ModelFileError"] > 30
        assert not (tmp_path / "findings").exists()

    def test_language_models(self, small_language_model, tmp_path):
        target = Target(
            seeds.LANGUAGE_MODELS,
            [Seed("small.lm", small_language_model)],
            seeds._mutate_language_model,
        )
        result = Campaign(1, tmp_path).run(target, 60)
        clean(result, 60)
        assert result.outcomes["LanguageModelError"] > 30

    @pytest.mark.skipif(sys.platform != "linux", reason="limits of address space")
    def test_findings_are_kept_for_another_look(self, small_model, tmp_path):
        """A model that takes more memory than allowed."""
        model = onnx.load_from_string(small_model)
        large = onnx.numpy_helper.from_array(np.zeros(6 << 20, np.float32), "large")
        model.graph.initializer.append(large)
        heavy = model.SerializeToString()
        target = Target(seeds.MODELS, [Seed("small.onnx", small_model)], lambda content, rng: heavy)
        campaign = Campaign(5, tmp_path / "findings", limits=Limits(memory_bytes=8 << 20))
        result = campaign.run(target, 1)
        [finding] = result.findings
        assert finding.kind == trial.MEMORY
        assert (tmp_path / "findings" / finding.file).read_bytes() == heavy
        report = FuzzReport(campaign, [result])
        assert report.findings == 1
        assert f"memory: {finding.file} (was small.onnx)" in report.text()
        assert report.to_dict()["results"][0]["findings"][0]["index"] == 0


class TestCommand:
    @pytest.fixture
    def fuzz(self, run_command_line):
        return lambda *arguments: run_command_line(cli.main, "fuzz", *arguments)

    def test_audio(self, fuzz, tmp_path):
        out = tmp_path / "fuzz.json"
        options = ("--seed", 2, "--findings", tmp_path / "findings", "--json", out)
        status, output, _ = fuzz("--audio", 60, *options)
        assert status == 0, output
        document = json.loads(out.read_text())
        [result] = document["results"]
        assert (result["target"], result["tried"], result["findings"]) == ("audio", 60, [])
        assert sum(result["outcomes"].values()) == 60
        assert result["outcomes"]["AudioFileError"] > 20
        assert document["environment"]["libsndfile"] == soundfile.__libsndfile_version__
        assert output.startswith("audio: 60 files")

    def test_stops_in_time(self, fuzz, tmp_path):
        out = tmp_path / "fuzz.json"
        status, _, _ = fuzz("--audio", 10**6, "--seconds", 0.01, "--json", out)
        assert status == 0
        assert json.loads(out.read_text())["results"][0]["tried"] < 100

    def test_findings_are_an_error(self, fuzz, monkeypatch, tmp_path):
        def found(self, target, files, **options):
            from asr_bench.fuzzing.campaign import Finding, Result

            finding = Finding("audio-1-0.wav", "a.wav", 0, "crash", "status -11")
            return Result(target.name, 1, findings=[finding])

        monkeypatch.setattr(Campaign, "run", found)
        status, output, errors = fuzz("--audio", 1, "--findings", tmp_path)
        assert status == 1
        assert "crash: audio-1-0.wav (was a.wav): status -11" in output
        assert errors.splitlines()[-1].startswith("asr-bench: 1 file was not taken as it should")

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ([], "nothing to try; give --models, --audio or --language-models"),
            (["--audio", 1, "--seconds", 0], "seconds must be more than 0"),
            (["--audio", 1, "--json", "none/x.json"], "the folder none does not exist"),
        ],
    )
    def test_bad_input_is_one_line(self, fuzz, monkeypatch, tmp_path, arguments, message):
        monkeypatch.chdir(tmp_path)
        status, output, errors = fuzz(*arguments)
        assert (status, output) == (1, "")
        assert errors.count("\n") == 1
        assert message in errors
