"""Everything that the benchmarks take from ``asr_export``, in one place.

Each function imports what it needs when it is called: the process of an engine imports this module
too, and must not load PyTorch because another engine would need it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from asr_train.checkpoints.checkpoint import Checkpoint
    from asr_train.model.config import ModelConfig

#: Module that a process imports before it loads a ``.pt2`` file.
PT2_MODULE = "asr_export.loading.pt2_file"

_SEED = 1  # of random weights


@dataclass(frozen=True)
class ExportFormat:
    """A file format at a precision.

    Attributes:
        name: Name of the format.
        precision: Precision of the weights in the file.
        file_name: Name of the file; its suffix tells how to load it.
        streaming: Whether the file transcribes streams as well.
    """

    name: str
    precision: str
    file_name: str
    streaming: bool = False

    @property
    def label(self) -> str:
        """Name and precision, unlike those of any other format."""
        return f"{self.name} {self.precision}"

    def path_in(self, folder: Path) -> Path:
        """Where ``write`` puts the file: in a folder of its own within ``folder``."""
        return folder / self.label.replace(" ", "-").lower() / self.file_name

    def write(self, checkpoint: Checkpoint, folder: Path) -> None:
        """Export a checkpoint.

        Raises:
            ParityError: The file gives other results, so that its figures would mean nothing.
        """
        from asr_export import ExportOptions, export, stream_chunking
        from asr_export.quantization.precision import Precision

        path = self.path_in(folder)
        path.parent.mkdir(parents=True)
        chunking = stream_chunking(checkpoint.model.config) if self.streaming else None
        export(checkpoint, path, ExportOptions(Precision(self.precision), chunking=chunking))


#: Formats by label; the first is what ``asr-bench precision`` compares the others with. Streaming
#: ONNX is what asr-runtime ships: whole recordings and streams from one file.
FORMATS: dict[str, ExportFormat] = {
    one.label: one
    for one in (
        *(ExportFormat("ONNX", precision, "model.onnx") for precision in ("fp32", "fp16", "int8")),
        *(ExportFormat("ORT", precision, "model.ort") for precision in ("fp32", "int8")),
        *(ExportFormat("TorchScript", precision, "model.pt") for precision in ("fp32", "int8")),
        ExportFormat("torch.export", "fp32", "model.pt2"),
        ExportFormat("streaming ONNX", "int8", "model.onnx", streaming=True),
    )
}


@dataclass(frozen=True)
class FileCard:
    """What the benchmarks need of a model file's card.

    Attributes:
        precision: Precision of the weights.
        streaming: Whether the file can stream.
        operations_per_second: Floating-point operations for a second of audio; None if the card
            does not tell the network's shape.
    """

    precision: str
    streaming: bool
    operations_per_second: float | None


def read_card(path: Path) -> FileCard:
    """Read the card of a model file of any format; ``ExportError`` if it is none."""
    from asr_export.formats import registry
    from asr_train.errors import ConfigError
    from asr_train.model.config import ModelConfig

    card = registry.read_card(path)
    shape = {key: value for key, value in card.architecture.items() if key != "name"}
    try:
        operations = operations_per_second(ModelConfig.from_dict(shape))
    except (ConfigError, TypeError):
        operations = None
    return FileCard(card.precision or "fp32", card.streaming is not None, operations)


def operations_per_second(config: ModelConfig) -> float:
    """Return the floating-point operations that a second of audio takes."""
    from asr_export.inspection import flops

    return float(flops.operations_per_second(config).total)


def probe_signal(seconds: float) -> npt.NDArray[np.float32]:
    """Generate float32 [samples] at 16 kHz that no network finds trivial, always the same."""
    from asr_export.verification import probe

    return probe.probe_signal(seconds, seed=0)


def load_torch_export(path: Path) -> Any:
    """Load the module of a ``.pt2`` file without unpickling anything."""
    from asr_export.loading.pt2_file import load_pt2

    return load_pt2(path)[0]


def random_checkpoint(preset_name: str) -> Checkpoint:
    """Make a preset's network with random weights, always the same.

    Raises:
        ConfigError: There is no such preset.
    """
    import torch

    from asr_train.checkpoints.checkpoint import Checkpoint
    from asr_train.model.config import preset
    from asr_train.model.network import ResCNNBiGRU

    config = preset(preset_name)
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(_SEED)
        return Checkpoint(ResCNNBiGRU(config).eval())
