"""How to train: every setting of a run but the model's shape and the data.

This is the only list of them. A recipe's keys, the options of ``asr-train fit``, its help and the
file that a run leaves are made from these dataclasses; nothing here needs torch.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from asr_train.augmentation.config import AugmentationConfig, MaskingConfig
from asr_train.data.batch_plan import PadTo
from asr_train.errors import ConfigError
from asr_train.model.config import WeightQuantization
from asr_train.settings import check_settings, setting


class MixedPrecision(str, Enum):
    """Arithmetic of the network; features and loss are always float32.

    Attributes:
        auto: bf16 where the processor is faster with it.
        fp32: float32.
        bf16: bfloat16 where autocast allows it.
    """

    auto = "auto"
    fp32 = "fp32"
    bf16 = "bf16"


class Device(str, Enum):
    """Where training runs."""

    auto = "auto"
    cpu = "cpu"
    cuda = "cuda"


@dataclass(frozen=True)
class ChunkedConfig:
    """Batches computed as on a stream, so that the weights hold their accuracy there."""

    probability: float = setting(
        0.0,
        "Fraction of the batches that are computed in chunks, as on a stream.",
        least=0,
        most=1,
        options=("--chunked",),
    )
    chunk_ms: tuple[float, float] = setting(
        (400.0, 1600.0),
        "Shortest and longest chunk, ms; each batch has one in between, drawn on a log scale.",
        above=0,
    )
    lookahead_ms: tuple[float, float] = setting(
        (180.0, 600.0), "Shortest and longest look-ahead, ms, drawn evenly.", least=0
    )

    def __post_init__(self) -> None:
        check_settings(self)
        for name in ("chunk_ms", "lookahead_ms"):
            shortest, longest = getattr(self, name)
            if shortest > longest:
                raise ConfigError(
                    f"{name} is {shortest:g} and {longest:g}: give the shortest, then the longest"
                )


@dataclass(frozen=True)
class LossConfig:
    """Weights of the parts of the loss."""

    consistency: float = setting(
        0.0,
        "Compute everything twice, masked differently, and weigh the disagreement so (0.2 is "
        "usual); 0 computes it once. For many passes over little data.",
        least=0,
    )
    letter_weight: float = setting(
        0.5, "Weight of the letters' loss where phonemes are learnt beside them.", least=0
    )
    lf_mmi_ctc: float = setting(
        0.3,
        "Weight of plain CTC beside LF-MMI, which keeps it from forgetting what is hard to tell "
        "from silence.",
        least=0,
    )

    def __post_init__(self) -> None:
        check_settings(self)


@dataclass(frozen=True)
class TrainingConfig:
    """How to train.

    Attributes:
        out: folder of the run: checkpoints ``best`` and ``last``, logs, plot, ``config.toml``.
        augmentation: changes to the waveforms, on training data only.
        masking: changes to the features, on training data only.
        chunked: batches that are computed as on a stream.
        loss: weights of the parts of the loss.
    """

    out: Path
    epochs: int = setting(30, "Passes over the training data.", least=1)
    batch_seconds: float = setting(
        160.0, "Padded audio per step, seconds, over all processes together.", least=1
    )
    learning_rate: float = setting(
        1.5e-3, "Peak of the OneCycle schedule (Smith & Topin 2018, arXiv:1708.07120).", above=0
    )
    warmup: float = setting(
        0.1, "Fraction of the steps spent warming up the learning rate.", least=0, most=1
    )
    weight_decay: float = setting(1e-2, "AdamW's weight decay.", least=0)
    max_grad_norm: float = setting(1.0, "Gradients are clipped to this norm.", least=0)
    pad_to: PadTo = setting(
        PadTo.batch, "Pad to the longest utterance of the batch, or of all sets (max)."
    )
    max_seconds: float = setting(30.0, "Skip longer training utterances, seconds.", least=0)
    lexicon: Path | None = setting(
        None,
        "Pronunciations of all words of the transcripts (asr-train lexicon), for a model with a "
        "phoneme head (phonemes = 39).",
    )
    lf_mmi_from: float = setting(
        1.0,
        "Fraction of the training after which the phonemes' loss is LF-MMI; 1 is CTC to the end. "
        "An untrained head learns faster from CTC.",
        least=0,
        most=1,
    )
    quantize_weights: WeightQuantization = setting(
        WeightQuantization.none,
        "Quantize the weights at every step, so that a small file loses nothing by it.",
        options=("--quantize-weights", "--round-weights"),
    )
    seed: int = setting(1, "Seed of initial weights, shuffles, augmentation and dropout.")
    minutes: float | None = setting(
        None,
        "Train so long, however many steps that is; the learning rate follows the clock, and "
        "epochs is the most.",
        above=0,
    )
    precision: MixedPrecision = setting(
        MixedPrecision.auto, "Arithmetic of the network; features and loss are always float32."
    )
    device: Device = setting(Device.auto, "Where to train.")
    workers: int = setting(1, "Loader processes.", least=0)
    audio_cache: Path | None = setting(
        None, "Decode the audio once into this folder (115 MB per hour)."
    )
    audio_on_device: bool = setting(
        False,
        "Keep the decoded audio in the device's memory and augment it there; needs an audio cache.",
        options=("--audio-on-device",),
    )
    compile_network: bool = setting(
        False,
        "Fuse the convolutions' elementwise work with torch.compile; takes a minute, pays on a "
        "GPU.",
        options=("--compile",),
    )
    checkpoint_every: int = setting(200, "Steps between two saves of the last checkpoint.", least=1)
    keep: int = setting(0, "Keep so many of the best epochs, by dev words, for averaging.", least=0)
    augmentation: AugmentationConfig = field(default_factory=AugmentationConfig)
    masking: MaskingConfig = field(default_factory=MaskingConfig)
    chunked: ChunkedConfig = field(default_factory=ChunkedConfig)
    loss: LossConfig = field(default_factory=LossConfig)

    def __post_init__(self) -> None:
        check_settings(self)
        if self.audio_on_device and self.audio_cache is None:
            raise ConfigError("--audio-on-device needs --audio-cache: give it a folder")
        if self.lf_mmi_from < 1 and self.lexicon is None:
            raise ConfigError("--lf-mmi-from needs --lexicon: LF-MMI is for the phonemes")
