"""Fixtures of the runtime's tests; most use the tone model of a module beside this one."""

import importlib
import io
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import soundfile

from asr_runtime import LiveStream, Recognizer
from asr_runtime.command import cli
from asr_runtime.language.language_model import LanguageModel
from asr_runtime.language.packed_model import PackedModel

_tones = importlib.import_module("tone_model")
make_tone_model = _tones.make_tone_model
CARD = _tones.CARD

_machines = importlib.import_module("imitated_machines")
packages, libraries = _machines.packages, _machines.libraries
gpu_build, cpu_build = _machines.gpu_build, _machines.cpu_build


@pytest.fixture(scope="session")
def speak() -> Callable[..., np.ndarray]:
    return _tones.speak_tones


@pytest.fixture(scope="session")
def phoneme_speech() -> Any:
    """The module that makes log-probabilities of phonemes."""
    return importlib.import_module("phoneme_speech")


@pytest.fixture(scope="session")
def speak_sounds() -> Callable[..., np.ndarray]:
    return _tones.speak_phonemes


@pytest.fixture(scope="session")
def model_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "tones.onnx"
    onnx.save(make_tone_model(), path)
    return path


@pytest.fixture(scope="session")
def recognizer(model_file: Path) -> Recognizer:
    return Recognizer.load(model_file, device="cpu", threads=1)


@pytest.fixture(scope="session")
def streaming_card() -> dict[str, Any]:
    """The card of the tone model for streams: chunks of 300 ms, 90 ms of look-ahead."""
    streaming = {
        "chunk_frames": 10,
        "lookahead_frames": 3,
        "context_frames": 2,
        "state_shape": [1, 1],
    }
    return {**CARD, "streaming": streaming}


@pytest.fixture(scope="session")
def streaming_model_file(
    streaming_card: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    path = tmp_path_factory.mktemp("model") / "streaming-tones.onnx"
    onnx.save(make_tone_model(card=streaming_card, streaming=True), path)
    return path


@pytest.fixture
def save_model(tmp_path: Path) -> Callable[..., Path]:
    """Write a variant of the tone model; the arguments are those of `make_tone_model`."""

    def save(**variant: Any) -> Path:
        path = tmp_path / "variant.onnx"
        onnx.save(make_tone_model(**variant), path)
        return path

    return save


@pytest.fixture
def card() -> dict[str, Any]:
    """A copy of the tone model's card."""
    return dict(CARD)


@pytest.fixture(scope="session")
def toy_language_models() -> Any:
    """The module that makes small language models."""
    return importlib.import_module("language_models")


@pytest.fixture
def sounddevice(monkeypatch: pytest.MonkeyPatch) -> Any:
    """An imitated sounddevice in place of the real one, with a microphone and a loudspeaker."""
    module = importlib.import_module("fake_sounddevice").FakeSounddevice()
    monkeypatch.setitem(sys.modules, "sounddevice", module)
    return module


@pytest.fixture(scope="session")
def make_language_model(toy_language_models: Any) -> Callable[..., LanguageModel]:
    """A language model of some words, from sentences of them or from each word once."""

    def make(
        words: Sequence[str],
        sentences: Sequence[str] | None = None,
        order: int = 3,
        pronunciations: Mapping[str, Sequence[str]] | None = None,
        network: tuple[Mapping[str, Any], Mapping[str, Any]] = ({}, {}),
    ) -> LanguageModel:
        model = toy_language_models.PackedToyModel(words, sentences or words, order, pronunciations)
        header, arrays = network
        return PackedModel(
            {"order": order, "ngrams": model.numbers, **header}, {**model.arrays(), **arrays}
        )

    return make


@pytest.fixture
def save_language_model(toy_language_models: Any, tmp_path: Path) -> Callable[..., Path]:
    """Write a small language model, and return its path; `changes` replace keys of its header."""

    def save(
        words: Sequence[str],
        sentences: Sequence[str] | None = None,
        pronunciations: Mapping[str, Sequence[str]] | None = None,
        **changes: Any,
    ) -> Path:
        model = toy_language_models.PackedToyModel(
            words, sentences or words, pronunciations=pronunciations
        )
        path = tmp_path / "toy.lm"
        path.write_bytes(toy_language_models.file_bytes(model, **changes))
        return path

    return save


@pytest.fixture
def clips(tmp_path: Path, speak: Callable[..., np.ndarray]) -> dict[str, str]:
    """Paths of three short recordings by their names."""
    paths = {}
    for name, text in [("one.wav", "hello world"), ("two.flac", "it's two"), ("three.ogg", "c")]:
        paths[name] = str(tmp_path / name)
        soundfile.write(paths[name], speak(text), 16000)
    return paths


@pytest.fixture
def speech(speak: Callable[..., np.ndarray]) -> np.ndarray:
    """Two sentences, with a pause after each."""
    pause = np.zeros(2 * 16000, np.float32)
    return np.concatenate([speak("hello world"), pause, speak("it's two"), pause])


@pytest.fixture
def wav(speech: np.ndarray) -> bytes:
    """The speech as a WAV file."""
    file = io.BytesIO()
    soundfile.write(file, speech, 16000, format="WAV", subtype="PCM_16")
    return file.getvalue()


@pytest.fixture
def stream_calls(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The settings of the calls of `Recognizer.stream`; the first one only tries them."""
    calls = []
    real = Recognizer.stream

    def stream(recognizer: Recognizer, sample_rate: float, **settings: Any) -> LiveStream:
        live = real(recognizer, sample_rate, **settings)
        calls.append({"sample_rate": sample_rate, **settings})
        return live

    monkeypatch.setattr(Recognizer, "stream", stream)
    return calls


@pytest.fixture
def listen(
    streaming_model_file: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Callable[..., tuple[int, str, list[str]]]:
    """Run ``asr-run`` with a model for streams; returns (exit status, output, error lines)."""

    def run(
        *arguments: object,
        stdin: Any = b"",
        model: Path = streaming_model_file,
        command: tuple[str, ...] = (),
    ) -> tuple[int, str, list[str]]:
        chosen = ["--model", str(model), "--device", "cpu"]
        monkeypatch.setattr(sys, "argv", ["asr-run", *command, *chosen, *map(str, arguments)])
        if isinstance(stdin, bytes):
            stdin = io.TextIOWrapper(io.BytesIO(stdin))
        monkeypatch.setattr(sys, "stdin", stdin)
        with pytest.raises(SystemExit) as caught:
            cli.main()
        output, errors = capsys.readouterr()
        return int(caught.value.code or 0), output, errors.splitlines()

    return run


@pytest.fixture(scope="session")
def punctuation_models() -> Any:
    """Models whose signs and capital letters are known."""
    return importlib.import_module("punctuation_models")


@pytest.fixture(scope="session")
def punctuation_model_file(
    punctuation_models: Any, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    path: Path = punctuation_models.write_punctuation_model(
        tmp_path_factory.mktemp("punctuation") / "punctuation.onnx"
    )
    return path
