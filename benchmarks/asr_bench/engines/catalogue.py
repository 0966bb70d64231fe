"""Which engines a benchmark has: those of the models it is given, and other projects'."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from asr_bench.engines.asr_run import AsrRun
from asr_bench.engines.engine import Engine
from asr_bench.engines.faster_whisper import FasterWhisper
from asr_bench.engines.local_peer import LocalPeer
from asr_bench.engines.onnx_asr import OnnxAsr
from asr_bench.engines.onnx_runtime import OnnxRuntime
from asr_bench.engines.openvino_model import OpenVino
from asr_bench.engines.pocketsphinx import PocketSphinx
from asr_bench.engines.sherpa_onnx import SherpaOnnx
from asr_bench.engines.torch_compiled import TorchCompiled
from asr_bench.engines.torch_eager import TorchEager
from asr_bench.engines.torch_export import TorchExport
from asr_bench.engines.torchscript import TorchScript
from asr_bench.engines.vosk import Vosk
from asr_bench.engines.whisper_cpp import WhisperCpp
from asr_bench.errors import BenchError
from asr_bench.model_forms.forms import FORMS, Form, export_forms
from asr_export.exporting import export
from asr_export.formats.registry import format_of, read_card
from asr_export.inspection.flops import operations_per_second
from asr_export.quantization.precision import Precision
from asr_export.source.options import ExportOptions, stream_chunking
from asr_runtime.recognizer import DECODERS, DEFAULT_MODEL
from asr_train.checkpoints.checkpoint import Checkpoint, load_checkpoint
from asr_train.errors import ConfigError
from asr_train.model.config import ModelConfig

#: By the name that ``--peer-model`` takes.
LOCAL_PEERS: dict[str, type[LocalPeer]] = {
    peer.label: peer for peer in (OnnxAsr, SherpaOnnx, Vosk, WhisperCpp)
}


def _export_streaming(checkpoint: Checkpoint, path: Path) -> object:
    chunking = stream_chunking(checkpoint.model.config)
    return export(checkpoint, path, ExportOptions(Precision.int8, chunking=chunking))


#: What asr-runtime ships: whole recordings and streams from one file.
_SHIPPED = Form("streaming ONNX", Precision.int8, "model.onnx", _export_streaming)
_FORMS = {form.label: form for form in (*FORMS, _SHIPPED)}


@dataclass(frozen=True)
class BenchModel:
    """This project's engines with one model.

    Attributes:
        name: for the tables.
        operations_per_second: floating-point operations for a second of audio; None if the file
            does not tell the model's shape.
        engines: some need files that ``export`` writes.
        checkpoint: what to export; None for a model file.
    """

    name: str
    operations_per_second: float | None
    engines: tuple[Engine, ...]
    checkpoint: Checkpoint | None = None

    def export(
        self,
        chosen: Sequence[Engine],
        folder: Path,
        before_each: Callable[[str], object] = lambda label: None,
    ) -> dict[Path, str]:
        """Write the files that these of its engines need; ``folder`` as in ``bench_model``.

        Returns why a file could not be written, or gives other results than the checkpoint, by the
        file: one form that a version of PyTorch cannot export is no reason to measure none.
        """
        if self.checkpoint is None:
            return {}
        home = folder / self.name
        needed = {path for engine in chosen for path in engine.files()}
        forms = [form for form in _FORMS.values() if form.path_in(home) in needed]
        home.mkdir()
        failures = {}
        for form in forms:
            try:
                export_forms(self.checkpoint, home, [form], before_each=before_each)
            except Exception as error:  # of the exporters there are several kinds
                first = (str(error).strip() or type(error).__name__).splitlines()[0]
                failures[form.path_in(home)] = f"cannot be exported: {first}"
        return failures


def bench_model(path: Path | None, folder: Path) -> BenchModel:
    """The engines of a checkpoint's folder, of a model file, or of the packaged model.

    Args:
        path: None for the packaged model.
        folder: where ``export`` will write the files of a checkpoint.

    Raises:
        CheckpointError, ExportError: the path is neither.
    """
    if path is not None and path.is_dir():
        return _checkpoint_model(path, folder)
    if path is None and not DEFAULT_MODEL.exists():
        raise BenchError("this installation of asr-runtime has no model; give --model")
    return _file_model(DEFAULT_MODEL if path is None else path)


def _checkpoint_model(path: Path, folder: Path) -> BenchModel:
    checkpoint = load_checkpoint(path)
    name = path.resolve().name

    def file(label: str) -> str:
        return str(_FORMS[label].path_in(folder / name))

    int8, fp32 = file("streaming ONNX int8"), file("ONNX fp32")
    engines: list[Engine] = [
        *(AsrRun(name, int8, "int8", decoder, streaming=True) for decoder in reversed(DECODERS)),
        *(AsrRun(name, fp32, "fp32", decoder) for decoder in reversed(DECODERS)),
        AsrRun(name, fp32, "fp32", DECODERS[0], device="cuda"),
        TorchEager(name, str(path)),
        TorchEager(name, str(path), "cuda"),
        TorchCompiled(name, str(path)),
        TorchScript(name, file("TorchScript fp32")),
        TorchExport(name, file("torch.export fp32")),
        *(OnnxRuntime(name, file(f"ONNX {one.value}"), one.value) for one in Precision),
        OnnxRuntime(name, fp32, "fp32", "cuda"),
        OpenVino(name, fp32, "fp32"),
    ]
    operations = operations_per_second(checkpoint.model.config).total
    return BenchModel(name, operations, tuple(engines), checkpoint)


def _file_model(path: Path) -> BenchModel:
    card = read_card(path)
    name, precision = path.stem, card.precision or "fp32"
    streaming = card.streaming is not None
    engines: list[Engine] = [
        *(AsrRun(name, str(path), precision, decoder, streaming) for decoder in reversed(DECODERS)),
        OnnxRuntime(name, str(path), precision),
        OnnxRuntime(name, str(path), precision, "cuda"),
    ]
    if format_of(path).name == "onnx":
        engines.append(OpenVino(name, str(path), precision))
    shape = {key: value for key, value in card.architecture.items() if key != "name"}
    try:
        operations = operations_per_second(ModelConfig.from_dict(shape)).total
    except (ConfigError, TypeError):
        operations = None
    return BenchModel(name, operations, tuple(engines))


def peer_engines(paths: Mapping[str, str]) -> list[Engine]:
    """Other projects' engines.

    Args:
        paths: models on this machine by the engine's name, see ``LOCAL_PEERS``.

    Raises:
        BenchError: there is no such engine.
    """
    for name in paths:
        if name not in LOCAL_PEERS:
            raise BenchError(f"{name!r} takes no model; those that do: {', '.join(LOCAL_PEERS)}")
    local = [peer(paths.get(name, "")) for name, peer in LOCAL_PEERS.items()]
    return [FasterWhisper("greedy"), FasterWhisper("beam"), PocketSphinx(), *local]


def choose(engines: Sequence[Engine], wanted: Sequence[str]) -> list[Engine]:
    """Those whose name contains one of ``wanted``, whatever the case; all if nothing is wanted.

    Raises:
        BenchError: one of ``wanted`` fits none.
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
