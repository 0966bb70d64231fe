"""Which engines there are: a row for each way to run a model, and for each peer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from asr_bench.engines.asr_run import AsrRun, AsrSession
from asr_bench.engines.engine import Engine, LocalModelPeer
from asr_bench.engines.faster_whisper import FasterWhisper
from asr_bench.engines.onnx_asr import OnnxAsr
from asr_bench.engines.onnx_runtime import OnnxRuntime
from asr_bench.engines.openvino_model import OpenVino
from asr_bench.engines.pocketsphinx import PocketSphinx
from asr_bench.engines.sherpa_onnx import SherpaOnnx
from asr_bench.engines.torch_engines import (
    TorchCompiled,
    TorchEager,
    TorchExport,
    TorchScript,
)
from asr_bench.engines.vosk import Vosk
from asr_bench.engines.whisper_cpp import WhisperCpp
from asr_bench.errors import BenchError
from asr_bench.exporting import FORMATS, operations_per_second, random_checkpoint, read_card
from asr_bench.results import ModelInfo

if TYPE_CHECKING:
    from asr_train.checkpoints.checkpoint import Checkpoint


@dataclass(frozen=True)
class ModelFiles:
    """Where a model under test is, or will be.

    Attributes:
        name: Name of the weights.
        folder: Folder of the checkpoint.
        exports: Folder for exported files.
    """

    name: str
    folder: Path
    exports: Path

    def file(self, label: str) -> str:
        """Path of a format's file."""
        return str(FORMATS[label].path_in(self.exports))


Row = Callable[[ModelFiles], Engine]

#: Every way to run a checkpoint, for ``asr-bench run``.
CHECKPOINT_ENGINES: tuple[Row, ...] = (
    lambda m: AsrRun(m.name, m.file("streaming ONNX int8"), "int8", "beam", streaming=True),
    lambda m: AsrRun(m.name, m.file("streaming ONNX int8"), "int8", "greedy", streaming=True),
    lambda m: AsrRun(m.name, m.file("ONNX fp32"), "fp32", "beam"),
    lambda m: AsrRun(m.name, m.file("ONNX fp32"), "fp32", "greedy"),
    lambda m: AsrRun(m.name, m.file("ONNX fp32"), "fp32", "greedy", device="cuda"),
    lambda m: TorchEager(m.name, str(m.folder)),
    lambda m: TorchEager(m.name, str(m.folder), device="cuda"),
    lambda m: TorchCompiled(m.name, str(m.folder)),
    lambda m: TorchScript(m.name, m.file("TorchScript fp32")),
    lambda m: TorchExport(m.name, m.file("torch.export fp32")),
    lambda m: OnnxRuntime(m.name, m.file("ONNX fp32"), "fp32"),
    lambda m: OnnxRuntime(m.name, m.file("ONNX fp16"), "fp16"),
    lambda m: OnnxRuntime(m.name, m.file("ONNX int8"), "int8"),
    lambda m: OnnxRuntime(m.name, m.file("ONNX fp32"), "fp32", "cuda"),
    lambda m: OpenVino(m.name, m.file("ONNX fp32"), "fp32"),
)

#: For ``asr-bench latency``; the others are compared with the first.
LATENCY_ENGINES: tuple[Row, ...] = (
    lambda m: TorchEager(m.name, str(m.folder)),
    lambda m: TorchScript(m.name, m.file("TorchScript fp32")),
    lambda m: OnnxRuntime(m.name, m.file("ONNX fp32"), "fp32"),
)

#: For ``asr-bench precision``: every format; the last is the reference of the log-probabilities.
FORMAT_ENGINES: tuple[Row, ...] = (
    lambda m: AsrSession(m.name, m.file("ONNX fp32"), "fp32"),
    lambda m: AsrSession(m.name, m.file("ONNX fp16"), "fp16"),
    lambda m: AsrSession(m.name, m.file("ONNX int8"), "int8"),
    lambda m: AsrSession(m.name, m.file("ORT fp32"), "fp32"),
    lambda m: AsrSession(m.name, m.file("ORT int8"), "int8"),
    lambda m: TorchScript(m.name, m.file("TorchScript fp32"), "fp32"),
    lambda m: TorchScript(m.name, m.file("TorchScript int8"), "int8"),
    lambda m: TorchExport(m.name, m.file("torch.export fp32"), "fp32"),
    lambda m: TorchEager(m.name, str(m.folder)),
)

#: Other projects' engines that bring their model.
PEERS: tuple[Engine, ...] = (FasterWhisper("greedy"), FasterWhisper("beam"), PocketSphinx())

#: Those whose model ``--peer-model`` names.
LOCAL_MODEL_PEERS: tuple[type[LocalModelPeer], ...] = (OnnxAsr, SherpaOnnx, Vosk, WhisperCpp)


@dataclass(frozen=True)
class ModelUnderTest:
    """A model and this project's engines for it.

    Attributes:
        info: What the results say about the model.
        engines: Engines; some need files that ``export`` writes.
        files: Where the model is; None for a model file.
        checkpoint: What to export; None for a model file.
    """

    info: ModelInfo
    engines: tuple[Engine, ...]
    files: ModelFiles | None = None
    checkpoint: Checkpoint | None = None

    def export(
        self,
        chosen: Sequence[Engine],
        before_each: Callable[[str], object] = lambda label: None,
    ) -> dict[Path, str]:
        """Write the files that the chosen engines need.

        A format that cannot be exported does not keep the others from being measured.

        Args:
            chosen: Engines to be measured.
            before_each: Called with the label of each format.

        Returns:
            Reasons by file: it could not be written, or gives other results than the checkpoint.
        """
        if self.checkpoint is None or self.files is None:
            return {}
        needed = {path for engine in chosen for path in engine.files()}
        failures = {}
        for form in FORMATS.values():
            path = form.path_in(self.files.exports)
            if path not in needed:
                continue
            before_each(form.label)
            try:
                form.write(self.checkpoint, self.files.exports)
            except Exception as error:  # of the exporters there are several kinds
                first = (str(error).strip() or type(error).__name__).splitlines()[0]
                failures[path] = f"cannot be exported: {first}"
        return failures


def model_under_test(
    path: Path | None, folder: Path, rows: Sequence[Row] = CHECKPOINT_ENGINES
) -> ModelUnderTest:
    """Find the engines of a checkpoint's folder, of a model file, or of the packaged model.

    Args:
        path: Folder or file; None for the packaged model.
        folder: Where ``export`` will write the files of a checkpoint.
        rows: Engines of a checkpoint.

    Raises:
        BenchError: This installation has no packaged model.
        CheckpointError: The folder is no checkpoint.
        ExportError: The file is no model.
    """
    from asr_runtime.recognizer import DEFAULT_MODEL

    if path is not None and path.is_dir():
        return _checkpoint_model(path, folder, rows)
    if path is None and not DEFAULT_MODEL.exists():
        raise BenchError("this installation of asr-runtime has no model; give --model")
    return _file_model(DEFAULT_MODEL if path is None else path)


def random_model(preset: str, folder: Path, rows: Sequence[Row]) -> ModelUnderTest:
    """Make a preset with random weights, as ``model_under_test`` of a checkpoint otherwise.

    Raises:
        ConfigError: There is no such preset.
    """
    from asr_train.checkpoints.checkpoint import save_checkpoint

    path = folder / "random" / preset
    save_checkpoint(path, random_checkpoint(preset).model, {})
    return _checkpoint_model(path, folder, rows, trained=False)


def _checkpoint_model(
    path: Path, folder: Path, rows: Sequence[Row], *, trained: bool = True
) -> ModelUnderTest:
    from asr_train.checkpoints.checkpoint import load_checkpoint

    checkpoint = load_checkpoint(path)
    name = path.resolve().name
    files = ModelFiles(name, path, folder / name)
    info = ModelInfo(
        name=name,
        parameters=sum(weight.numel() for weight in checkpoint.model.parameters()),
        checkpoint_sha256=checkpoint.sha256 if trained else None,
        operations_per_second_of_audio=operations_per_second(checkpoint.model.config),
    )
    return ModelUnderTest(info, tuple(row(files) for row in rows), files, checkpoint)


def _file_model(path: Path) -> ModelUnderTest:
    card = read_card(path)
    name, file = path.stem, str(path)
    engines: list[Engine] = [
        *(
            AsrRun(name, file, card.precision, decoder, card.streaming)
            for decoder in ("beam", "greedy")
        ),
        OnnxRuntime(name, file, card.precision),
        OnnxRuntime(name, file, card.precision, "cuda"),
    ]
    if path.suffix == ".onnx":
        engines.append(OpenVino(name, file, card.precision))
    info = ModelInfo(name, operations_per_second_of_audio=card.operations_per_second)
    return ModelUnderTest(info, tuple(engines))


def peer_engines(paths: Mapping[str, str]) -> list[Engine]:
    """Return other projects' engines.

    Args:
        paths: Models on this machine by the engine's label.

    Raises:
        BenchError: No engine of that label takes a model.
    """
    local = {peer.label: peer for peer in LOCAL_MODEL_PEERS}
    for label in paths:
        if label not in local:
            raise BenchError(f"{label!r} takes no model; those that do: {', '.join(local)}")
    return [*PEERS, *(peer(paths.get(label, "")) for label, peer in local.items())]


def choose(engines: Sequence[Engine], wanted: Sequence[str]) -> list[Engine]:
    """Return the engines whose name contains one of ``wanted``; all if nothing is wanted.

    Raises:
        BenchError: One of ``wanted`` fits none.
    """
    for part in wanted:
        if not any(part.lower() in engine.name.lower() for engine in engines):
            names = "; ".join(engine.name for engine in engines)
            raise BenchError(f"no engine is called like {part!r}; there are: {names}")
    return [
        engine
        for engine in engines
        if not wanted or any(part.lower() in engine.name.lower() for part in wanted)
    ]
