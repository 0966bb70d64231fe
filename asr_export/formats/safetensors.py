"""Checkpoint to one safetensors file: weights as arrays, the card in its header."""

from __future__ import annotations

from pathlib import Path

import safetensors
import safetensors.torch

from asr_export.errors import ExportError, first_line
from asr_export.formats.model_format import ModelFormat
from asr_export.loading.backends import Backend, TorchBackend
from asr_export.loading.model_files import require_file
from asr_export.source.quantized_checkpoint import QuantizedCheckpoint
from asr_runtime.model_file.contract import CARD_KEY
from asr_runtime.model_file.model_card import ModelCard
from asr_train.model.config import ModelConfig
from asr_train.model.network import ResCNNBiGRU


class SafetensorsFormat(ModelFormat):
    """Safetensors, which holds no graph: PyTorch's network runs the weights."""

    def write(self, source: QuantizedCheckpoint, path: Path) -> None:
        """Write the weights as float32."""
        weights = {name: value.contiguous() for name, value in source.rounded.state_dict().items()}
        card = {CARD_KEY: source.card.to_json()}
        path.write_bytes(safetensors.torch.save(weights, metadata=card))

    def open(self, path: Path, threads: int | None = None) -> tuple[Backend, str]:
        """Build the network that the card describes, with the file's weights."""
        del threads
        require_file(path)
        try:
            with safetensors.safe_open(path, framework="pt") as file:
                text = (file.metadata() or {}).get(CARD_KEY, "")
                weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            shape = dict(ModelCard.from_json(text).architecture)
            shape.pop("name", None)
            model = ResCNNBiGRU(ModelConfig.from_dict(shape))
            model.load_state_dict(weights)
        except Exception as error:  # of several kinds: container, card, shapes
            raise ExportError(f"{path} is not a model of ours: {first_line(error)}") from None
        return TorchBackend(model), text
