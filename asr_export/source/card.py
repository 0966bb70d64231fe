"""The card that travels in every exported model and lets it be run without anything else."""

from __future__ import annotations

import importlib.metadata
from pathlib import Path

from asr_export.errors import ExportError
from asr_export.quantization.precision import Arithmetic
from asr_export.source.options import ExportOptions
from asr_runtime.language.phonemes import PHONEMES
from asr_runtime.model_file.contract import CARD_FORMAT_VERSION, SAMPLE_RATE
from asr_runtime.model_file.model_card import ModelCard, StreamingCard
from asr_runtime.model_file.word_calibration import calibrations_from_card
from asr_train.checkpoints.checkpoint import Checkpoint
from asr_train.model.chunking import Chunking
from asr_train.model.config import ModelConfig
from asr_train.model.vocabulary import BLANK_ID, VOCABULARY

MAX_DOCUMENTATION = 100_000
"""Characters; asr-runtime reads cards of up to a million."""

#: Distributions whose versions can change an exported file.
_PRODUCERS = ("torch", "torchaudio", "onnx", "onnxscript")
#: What a checkpoint's progress says about how it was trained.
_TRAINING = ("step", "epoch", "train_hours", "train_utterances")


def export_card(checkpoint: Checkpoint, options: ExportOptions) -> ModelCard:
    """The card of a model that is exported from a checkpoint.

    Its word error rate is what training measured on its dev set, by greedy decoding with the
    checkpoint's own weights.

    Args:
        checkpoint: the model.
        options: of the export.

    Raises:
        ExportError: the model has other phonemes than this version knows.
    """
    config, progress = checkpoint.model.config, checkpoint.progress
    measured = progress.get("word_error_rate")
    arithmetic = options.computes_in
    return ModelCard(
        format_version=CARD_FORMAT_VERSION,
        sample_rate=SAMPLE_RATE,
        vocabulary=VOCABULARY,
        blank_id=BLANK_ID,
        frame_stride=config.frame_stride,
        phonemes=_phonemes(config) if config.phonemes else None,
        architecture={"name": "ResCNN-BiGRU", **config.to_dict()},
        parameters=sum(weight.numel() for weight in checkpoint.model.parameters()),
        precision=options.precision.value,
        precision_note=options.note,
        arithmetic=None if arithmetic is Arithmetic.fp32 else arithmetic.value,
        producer=f"asr-export {_version('asr-export')}",
        versions={name: _version(name) for name in _PRODUCERS},
        checkpoint_sha256=checkpoint.sha256,
        training={key: progress[key] for key in _TRAINING if key in progress},
        word_error_rate=None if measured is None else {"dev_greedy": measured},
        documentation=options.documentation,
        streaming=_streaming(config, options.chunking) if options.chunking else None,
        calibration=calibrations_from_card(progress.get("calibration")),
    )


def read_documentation(path: Path) -> str:
    """The text of a model's documentation.

    Raises:
        ExportError: the file cannot be read as text, or is longer than MAX_DOCUMENTATION.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ExportError(f"{path}: cannot be read as text: {error}") from None
    if len(text) > MAX_DOCUMENTATION:
        raise ExportError(f"{path} is longer than {MAX_DOCUMENTATION} characters; shorten it")
    return text


def _streaming(config: ModelConfig, chunking: Chunking) -> StreamingCard:
    return StreamingCard(
        chunk_frames=chunking.chunk_frames,
        lookahead_frames=chunking.lookahead_frames,
        context_frames=config.context_frames,
        state_shape=(config.gru_layers, config.gru_hidden),
        latency_ms=round(chunking.latency_ms(config), 3),
    )


def _phonemes(config: ModelConfig) -> tuple[str, ...]:
    """Classes of the second head, in their order; after them comes its blank."""
    if config.phonemes != len(PHONEMES):
        raise ExportError(
            f"the checkpoint has {config.phonemes} phonemes, this version knows {len(PHONEMES)}: "
            + " ".join(PHONEMES)
        )
    return tuple(PHONEMES)


def _version(distribution: str) -> str:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return "unknown"
