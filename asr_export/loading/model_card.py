"""The JSON card that travels in every exported model and lets it be run without anything else."""

from __future__ import annotations

import importlib.metadata
from pathlib import Path
from typing import Any

from asr_export.errors import ExportError
from asr_export.quantization.arithmetic import Arithmetic
from asr_export.quantization.precision import Precision
from asr_runtime.language.phonemes import PHONEMES
from asr_train.checkpoints.checkpoint import Checkpoint
from asr_train.model.config import SAMPLE_RATE, ModelConfig
from asr_train.model.vocabulary import BLANK_ID, VOCABULARY

#: Key of ``metadata_props`` in ONNX, name of the extra file in TorchScript and .pt2.
CARD_KEY = "model_card"
FORMAT_VERSION = 1
#: Characters; asr-runtime reads cards of up to a million.
MAX_DOCUMENTATION = 100_000
#: Distributions whose versions can change an exported file.
_PRODUCERS = ("torch", "torchaudio", "onnx", "onnxscript")


def model_card(
    checkpoint: Checkpoint,
    *,
    precision: Precision = Precision.fp32,
    arithmetic: Arithmetic = Arithmetic.fp32,
    documentation: str | None = None,
) -> dict[str, Any]:
    """Card of a model exported from ``checkpoint``; JSON values only.

    ``frame_stride`` is in samples; ``word_error_rate`` is what training measured on its dev set
    (greedy decoding, the checkpoint's own weights), null when it had none. ``precision_note`` is
    there when the file's weights are rounded, ``arithmetic`` when it is not float32, ``phonemes``
    when there is a head for them.
    ``documentation`` is what people should read: sources, licences, limits; Markdown.
    """
    note = arithmetic.note or precision.note
    config = checkpoint.model.config
    measured = checkpoint.progress.get("word_error_rate")
    trained = ("step", "epoch", "train_hours", "train_utterances")
    return {
        "format_version": FORMAT_VERSION,
        "sample_rate": SAMPLE_RATE,
        "vocabulary": list(VOCABULARY),
        "blank_id": BLANK_ID,
        "frame_stride": config.frame_stride,
        **({"phonemes": _phonemes(config)} if config.phonemes else {}),
        "architecture": {"name": "ResCNN-BiGRU", **config.to_dict()},
        "parameters": sum(weight.numel() for weight in checkpoint.model.parameters()),
        "precision": precision.value,
        **({} if note is None else {"precision_note": note}),
        **({} if arithmetic is Arithmetic.fp32 else {"arithmetic": arithmetic.value}),
        "producer": f"asr-export {_version('asr-export')}",
        "versions": {name: _version(name) for name in _PRODUCERS},
        "checkpoint_sha256": checkpoint.sha256,
        "training": {
            key: checkpoint.progress[key] for key in trained if key in checkpoint.progress
        },
        "word_error_rate": None if measured is None else {"dev_greedy": measured},
        **({} if documentation is None else {"documentation": documentation}),
    }


def _phonemes(config: ModelConfig) -> list[str]:
    """Of the second head, in the order of its classes; after them comes its blank."""
    if config.phonemes != len(PHONEMES):
        raise ExportError(
            f"the checkpoint has {config.phonemes} phonemes, this version knows {len(PHONEMES)}: "
            + " ".join(PHONEMES)
        )
    return list(PHONEMES)


def read_documentation(path: Path) -> str:
    """A model's documentation; ``ExportError`` if the file cannot be read, or is far too long."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ExportError(f"{path}: cannot be read as text: {error}") from None
    if len(text) > MAX_DOCUMENTATION:
        raise ExportError(f"{path} is longer than {MAX_DOCUMENTATION} characters; shorten it")
    return text


def _version(distribution: str) -> str:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return "unknown"
