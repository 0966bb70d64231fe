"""How to train: every setting of a run but the model and the data."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from asr_train.augmentation.waveform import AugmentationConfig
from asr_train.checkpoints.quantization import WeightRounding
from asr_train.data.batching import PadTo
from asr_train.errors import ConfigError
from asr_train.model.chunking import ChunkedTraining
from asr_train.training.loss import MaskingConfig, ObjectiveConfig


class Precision(str, Enum):
    """Arithmetic of the network; features and CTC are always float32."""

    auto = "auto"  #: bf16 where the processor is faster with it
    fp32 = "fp32"
    bf16 = "bf16"


class Device(str, Enum):
    """Where training runs."""

    auto = "auto"
    cpu = "cpu"
    cuda = "cuda"


@dataclass(frozen=True)
class TrainingConfig:
    """How to train.

    Attributes:
        out: folder of the run: checkpoints ``best`` and ``last``, logs, plot.
        epochs: passes over the training data.
        batch_seconds: padded audio a step, seconds, over all processes together.
        learning_rate: peak of the OneCycle schedule (Smith & Topin 2018, arXiv:1708.07120).
        warmup: part of all steps in which the rate rises.
        weight_decay: AdamW's.
        max_grad_norm: gradients are clipped to this norm.
        pad_to: see ``PadTo``.
        masking: SpecAugment, on training data only.
        augmentation: of the waveforms, on training data only.
        chunked: batches computed as on a stream, so that the weights hold their accuracy there.
        objective: see ``ObjectiveConfig``.
        lexicon: pronunciations of all words of the transcripts (``asr-train lexicon``), which a
            model with a phoneme head learns from.
        lf_mmi_from: part of the training after which the phonemes' loss is LF-MMI; 1 for CTC to
            the end. A head that is still untrained learns faster from CTC.
        minutes: train so long, whatever number of steps that is; the rate follows the clock.
            ``epochs`` is the most then. None for all epochs.
        round_weights: to what weights are rounded at every step, so that rounding them for a small
            file loses nothing.
        seed: of initial weights, shuffles, masks and dropout.
        precision: see ``Precision``.
        device: see ``Device``.
        workers: loader processes.
        audio_cache: folder for decoded audio, None to decode at every use.
        audio_on_device: keep the decoded audio in the device's memory and make batches there; needs
            ``audio_cache``.
        compile_network: fuse the convolutions' elementwise work with ``torch.compile``, which takes
            a minute at first.
        checkpoint_every: steps between ``last`` checkpoints.
        keep: how many of the best epochs to keep for averaging (with dev data).
    """

    out: Path
    epochs: int = 30
    batch_seconds: float = 160.0
    learning_rate: float = 1.5e-3
    warmup: float = 0.1
    weight_decay: float = 1e-2
    max_grad_norm: float = 1.0
    pad_to: PadTo = PadTo.batch
    masking: MaskingConfig = field(default_factory=MaskingConfig)
    augmentation: AugmentationConfig = field(default_factory=AugmentationConfig)
    chunked: ChunkedTraining = field(default_factory=ChunkedTraining)
    objective: ObjectiveConfig = field(default_factory=ObjectiveConfig)
    lexicon: Path | None = None
    lf_mmi_from: float = 1.0
    minutes: float | None = None
    round_weights: WeightRounding = WeightRounding.none
    seed: int = 1
    precision: Precision = Precision.auto
    device: Device = Device.auto
    workers: int = 1
    audio_cache: Path | None = None
    audio_on_device: bool = False
    compile_network: bool = False
    checkpoint_every: int = 200
    keep: int = 0

    def __post_init__(self) -> None:
        if self.audio_on_device and self.audio_cache is None:
            raise ConfigError("--audio-on-device needs --audio-cache: give it a folder")
        if self.lf_mmi_from < 1 and self.lexicon is None:
            raise ConfigError("--lf-mmi-from needs --lexicon: LF-MMI is for the phonemes")
