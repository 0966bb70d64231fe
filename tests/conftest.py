"""Fixtures that more than one component's tests use."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import soundfile

# The toolkit is imported inside the fixtures: the runtime's tests run without torch.
if TYPE_CHECKING:
    import onnx
    from torch.nn import Module

    from asr_train.checkpoints.checkpoint import Checkpoint
    from asr_train.model.config import ModelConfig

# Several processes share the cores, and threads that wait for each other would fight for them.
# PyTorch reads this once, when it is imported.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")

SAMPLE_RATE = 16_000

#: Names the folder of transcribed speech that some tests measure on; see CONTRIBUTING.md.
DATA_VARIABLE = "ASR_DATA"
CHARACTER_SECONDS = 0.09


def speak(text: str) -> np.ndarray:
    """A 'voice' whose every character is a tone of its own: speech that a tiny model can learn."""
    time = np.arange(round(CHARACTER_SECONDS * SAMPLE_RATE)) / SAMPLE_RATE
    envelope = np.hanning(time.size)
    alphabet = "' abcdefghijklmnopqrstuvwxyz"
    tones = [
        envelope * np.sin(2 * np.pi * (300 + 130 * alphabet.index(character)) * time)
        for character in text
    ]
    silence = np.zeros(SAMPLE_RATE // 10)
    return 0.3 * np.concatenate([silence, *tones, silence]).astype(np.float32)


@pytest.fixture(autouse=True)
def _threads_are_restored() -> Iterator[None]:
    """PyTorch's are process-wide: one test's must not slow down those that follow it."""
    torch = sys.modules.get("torch")
    before = torch.get_num_threads() if torch else None
    yield
    if torch and torch.get_num_threads() != before:
        torch.set_num_threads(before)


@pytest.fixture(scope="session")
def tiny_config() -> ModelConfig:
    from asr_train.model.config import ModelConfig

    return ModelConfig(
        n_mels=24,
        channels=4,
        residual_blocks=1,
        rnn_dim=24,
        gru_hidden=24,
        gru_layers=2,
        dropout=0.0,
    )


@pytest.fixture
def write_manifest(tmp_path: Path) -> Callable[..., Path]:
    """Write spoken texts and their manifest; gives the manifest's path."""

    def write(texts: Sequence[str], name: str = "train.jsonl") -> Path:
        return write_speech(tmp_path / name, texts)

    return write


def write_speech(manifest: Path, texts: Sequence[str]) -> Path:
    """Write a manifest and, beside it, the audio of spoken texts."""
    rows = []
    for index, text in enumerate(texts):
        audio = manifest.with_name(f"{manifest.stem}-{index}.wav")
        samples = speak(text)
        soundfile.write(audio, samples, SAMPLE_RATE)
        duration = len(samples) / SAMPLE_RATE
        rows.append({"audio_filepath": audio.name, "duration": duration, "text": text})
    manifest.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return manifest


@pytest.fixture(scope="session")
def learned_run(tiny_config: ModelConfig, shared_folder: Path) -> Path:
    """The folder of a run of 6 epochs that has learned to read tones; trained once for all tests.

    It takes some 8 s of CPU time. Its files are not to be changed.
    """
    from asr_train.augmentation.config import MaskingConfig
    from asr_train.data.manifest import read_manifest
    from asr_train.training.config import Device, MixedPrecision, TrainingConfig
    from asr_train.training.trainer import Trainer

    words = ("cab", "bead", "face", "deaf", "cafe", "fade", "bad", "dab")

    def make(folder: Path) -> None:
        texts = [f"{first} {second}" for first in words for second in words[:4]]
        rows = read_manifest(write_speech(folder / "train.jsonl", texts))
        config = TrainingConfig(
            out=folder / "run",
            epochs=6,
            batch_seconds=4.0,
            learning_rate=1e-2,
            masking=MaskingConfig(freq_mask=0, time_mask=0),
            precision=MixedPrecision.fp32,
            device=Device.cpu,
            workers=0,
        )
        Trainer(tiny_config, config, rows * 5, rows[::3]).fit()

    return made_once(shared_folder / "learned", make) / "run"


@pytest.fixture(scope="session")
def tiny_checkpoint(tiny_config: ModelConfig, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint with random weights, large enough that every part matters to the result."""

    import torch

    from asr_train.checkpoints.checkpoint import save_checkpoint
    from asr_train.model.network import ResCNNBiGRU

    torch.manual_seed(7)
    model = ResCNNBiGRU(tiny_config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(1.5)
        model.front_end.mean.fill_(-6.0)
        model.front_end.std.fill_(4.0)
    folder = tmp_path_factory.mktemp("checkpoints") / "tiny"
    save_checkpoint(folder, model, {"step": 3, "epoch": 1, "word_error_rate": 0.5})
    return folder


@pytest.fixture
def loaded(tiny_checkpoint: Path) -> Checkpoint:
    from asr_train.checkpoints.checkpoint import load_checkpoint

    return load_checkpoint(tiny_checkpoint)


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the processes of a run have in common."""
    folder = tmp_path_factory.getbasetemp()
    return folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder


@pytest.fixture(scope="session")
def traced_once(shared_folder: Path) -> Iterator[None]:
    """Have equal networks traced once for all processes of a run.

    Tracing takes 5 to 8 s of CPU time, all else of an export one or two.
    """
    import onnx

    from asr_export.formats import onnx as onnx_format

    trace = onnx_format.trace

    def remembered(module: Module, *arguments: Any) -> onnx.ModelProto:
        def make(folder: Path) -> None:
            onnx.save(trace(module, *arguments), folder / "graph.onnx")

        folder = made_once(shared_folder / f"traced-{_fingerprint(module, arguments)}", make)
        return onnx.load(folder / "graph.onnx")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(onnx_format, "trace", remembered)
        yield


def _fingerprint(module: Module, arguments: tuple[Any, ...]) -> str:
    """All that a trace depends on: classes, the functions that run, sizes, weights, inputs."""
    import torch

    digest = hashlib.sha256(repr(arguments).encode())
    for name, part in module.named_modules():
        what = (name, type(part).__qualname__, type(part).forward.__qualname__, part.extra_repr())
        digest.update(repr(what).encode())
        for key, value in sorted({**vars(part), **part._parameters, **part._buffers}.items()):
            if isinstance(value, torch.Tensor):
                digest.update(f"{key} {value.dtype} {list(value.shape)}".encode())
                digest.update(value.detach().contiguous().numpy().tobytes())
            elif isinstance(value, (bool, int, float, str, tuple)):
                digest.update(f"{key} {value}".encode())
    return digest.hexdigest()[:16]


@pytest.fixture(scope="session")
def export_tiny(
    tiny_checkpoint: Path, shared_folder: Path, traced_once: None
) -> Callable[..., Path]:
    """Give a file of the tiny checkpoint, exported and verified once for all tests.

    Files and what lies beside them are not to be changed.
    """

    def give(name: str, precision: str = "fp32", chunking: tuple[int, int] | None = None) -> Path:
        from asr_export import ExportOptions, Precision
        from asr_export.exporting import export  # a test may have put another into the package
        from asr_train.checkpoints.checkpoint import load_checkpoint
        from asr_train.model.chunking import Chunking

        streaming = None if chunking is None else Chunking(*chunking)

        def make(folder: Path) -> None:
            options = ExportOptions(Precision(precision), chunking=streaming)
            export(load_checkpoint(tiny_checkpoint), folder / name, options)

        kind = "-".join(map(str, (name, precision, *(chunking or ()))))
        return made_once(shared_folder / f"exported-{kind}", make) / name

    return give


def made_once(folder: Path, make: Callable[[Path], None]) -> Path:
    """Make a folder, unless another process of this run has or is about to; then wait for it."""
    claim, draft = (folder.with_name(f"{folder.name}.{end}") for end in ("claim", "draft"))
    limit = time.monotonic() + 600
    while not folder.exists():
        try:
            claim.mkdir()
        except FileExistsError:
            assert time.monotonic() < limit, f"the process that makes {folder} has ended"
            time.sleep(0.1)
            continue
        try:
            if not folder.exists():
                draft.mkdir()
                make(draft)
                draft.rename(folder)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
            claim.rmdir()
    return folder


@pytest.fixture
def run_command_line(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """Call a command's entry point with arguments: exit code, stdout, stderr."""

    def run(main: Callable[[], None], *arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["command", *map(str, arguments)])
        with pytest.raises(SystemExit) as stop:
            main()
        out, err = capfd.readouterr()
        return int(stop.value.code or 0), out, err

    return run


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder with ``train.jsonl`` and ``dev.jsonl`` that the environment names."""
    named = os.environ.get(DATA_VARIABLE)
    if not named:
        pytest.skip(f"{DATA_VARIABLE} is not set: no transcribed speech (CONTRIBUTING.md)")
    folder = Path(named).resolve()
    if not (folder / "dev.jsonl").is_file():
        pytest.skip(f"{DATA_VARIABLE} is {named}, and {folder / 'dev.jsonl'} does not exist")
    return folder
