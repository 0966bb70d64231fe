"""Valid files to start from, and how each kind is damaged."""

from __future__ import annotations

import io
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile

from asr_bench.fuzzing.media_seeds import media_files
from asr_bench.fuzzing.mutations import make_hole, mutate_bytes, overwrite_bytes
from asr_bench.fuzzing.protobuf_mutations import mutate_protobuf
from asr_bench.fuzzing.repairs import repair_language_model, repair_ogg
from asr_runtime.recognizer import DEFAULT_LANGUAGE_MODEL, DEFAULT_MODEL

Mutation = Callable[[bytes, random.Random], bytes]

MODELS, AUDIO, LANGUAGE_MODELS = "models", "audio", "language models"

_AUDIO_FORMATS = (
    ("wav", "WAV", "PCM_16"),
    ("wav", "WAV", "PCM_24"),
    ("wav", "WAV", "FLOAT"),
    ("wav", "WAV", "IMA_ADPCM"),
    ("wav", "WAV", "ULAW"),
    ("wav", "RF64", "PCM_16"),
    ("w64", "W64", "PCM_16"),
    ("aiff", "AIFF", "PCM_16"),
    ("au", "AU", "PCM_16"),
    ("caf", "CAF", "PCM_16"),
    ("flac", "FLAC", "PCM_16"),
    ("ogg", "OGG", "VORBIS"),
    ("opus", "OGG", "OPUS"),
    ("mp3", "MP3", "MPEG_LAYER_III"),
)
_SECONDS = 1.2
_JOINED = ("PCM_16", "FLOAT", "IMA_ADPCM", "VORBIS", "OPUS", "MPEG_LAYER_III")
"""Codings of which files are joined as well."""

_MANY_CHANNELS = ("WAV", "FLAC")


@dataclass(frozen=True)
class Seed:
    """A valid file.

    Attributes:
        name: For reports; its suffix is that of the damaged files.
        content: Its bytes.
        weight: How often it is damaged, compared with the others.
    """

    name: str
    content: bytes
    weight: float = 1.0


@dataclass(frozen=True)
class Target:
    """A kind of file that the runtime reads.

    Attributes:
        name: One of the constants above.
        seeds: Valid files of the kind.
        mutation: How they are damaged.
    """

    name: str
    seeds: Sequence[Seed]
    mutation: Mutation

    def damaged(self, seed: int, index: int) -> tuple[Seed, bytes]:
        """File number ``index`` of a run, and what it was; the same for the same ``seed``."""
        rng = random.Random(f"{seed} {self.name} {index}")
        chosen = rng.choices(self.seeds, [each.weight for each in self.seeds])[0]
        return chosen, self.mutation(chosen.content, rng)


def models(small: bytes) -> Target:
    """Return a small model, and the shipped one, which takes longer and is mostly weights."""
    shipped = Seed(DEFAULT_MODEL.name, _read(DEFAULT_MODEL))
    return Target(MODELS, [Seed("small.onnx", small, 3.0), shipped], _mutate_model)


def small_model() -> bytes:
    """Return an export of ours of 70 kB with random weights."""
    import torch

    from asr_export.formats.onnx import to_onnx
    from asr_export.quantization.precision import Precision
    from asr_export.source.options import ExportOptions
    from asr_export.source.quantized_checkpoint import QuantizedCheckpoint
    from asr_train.checkpoints.checkpoint import Checkpoint
    from asr_train.model.config import ModelConfig
    from asr_train.model.network import ResCNNBiGRU

    config = ModelConfig(
        n_mels=24, channels=4, residual_blocks=1, rnn_dim=24, gru_hidden=24, gru_layers=2
    )
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(1)
        checkpoint = Checkpoint(ResCNNBiGRU(config).eval())
    source = QuantizedCheckpoint(checkpoint, ExportOptions(Precision.int8))
    return bytes(to_onnx(source).SerializeToString())


def audio() -> Target:
    """Tones and noise in every format that the runtime promises, as people have it.

    They are mono and stereo, of many channels, of channels that cancel each other, joined from two
    files, with junk before them; and in containers where PyAV can make them.
    """
    rng = np.random.default_rng(1)
    seeds = []
    for extension, form, subtype in _AUDIO_FORMATS:
        made = []
        shapes = [(1, 16_000), (2, 44_100)]
        if form in _MANY_CHANNELS and subtype == "PCM_16":
            shapes.append((6, 16_000))
        for channels, rate in shapes:
            # Opus has rates of its own.
            written_rate = 48_000 if subtype == "OPUS" and rate == 44_100 else rate
            made.append(_encoded(_noisy_tone(rng, channels, rate), written_rate, form, subtype))
            name = f"{form}-{subtype}-{channels}.{extension}".lower()
            seeds.append(Seed(name, made[-1]))
        if subtype in _JOINED or form == "FLAC":
            name = f"{form}-{subtype}-joined.{extension}".lower()
            seeds.append(Seed(name, made[0] + made[1]))
        if form == "MP3":
            junk = rng.integers(1, 255, 700, np.uint8).tobytes()
            seeds.append(Seed("mp3-junk-before.mp3", junk + made[0]))
    tone = _noisy_tone(rng, 1, 16_000)
    opposite = _encoded(np.hstack([tone, -tone]), 16_000, "WAV", "PCM_16")
    seeds.append(Seed("wav-opposite.wav", opposite))
    media = media_files(_SECONDS)
    seeds += [Seed(f"media-{suffix}.{suffix}", content) for suffix, content in media.items()]
    return Target(AUDIO, seeds, _mutate_audio)


def _noisy_tone(rng: np.random.Generator, channels: int, rate: int) -> npt.NDArray[np.float64]:
    """Samples [samples, channels], -1..1."""
    time = np.arange(round(_SECONDS * rate))[:, None] / rate
    noise = rng.standard_normal((len(time), channels))
    samples: npt.NDArray[np.float64] = 0.3 * np.sin(2 * np.pi * 440 * time) + 0.05 * noise
    return samples


def _encoded(samples: npt.NDArray[np.float64], rate: int, form: str, subtype: str) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples, rate, subtype, format=form)
    return file.getvalue()


def language_models(path: Path = DEFAULT_LANGUAGE_MODEL) -> Target:
    """Return the shipped language model, or another one."""
    return Target(LANGUAGE_MODELS, [Seed(path.name, _read(path))], _mutate_language_model)


def _mutate_model(content: bytes, rng: random.Random) -> bytes:
    mutation = mutate_bytes if rng.random() < 0.25 else mutate_protobuf
    return mutation(content, rng)


def _mutate_audio(content: bytes, rng: random.Random) -> bytes:
    damaged = make_hole(content, rng) if rng.random() < 0.15 else mutate_bytes(content, rng)
    if content[:4] == b"OggS" and rng.random() < 0.6:
        damaged = repair_ogg(damaged)
    return damaged


def _mutate_language_model(content: bytes, rng: random.Random) -> bytes:
    end = 12 + int.from_bytes(content[8:12], "little")
    kind = rng.randrange(3)
    if kind == 0:
        damaged = mutate_bytes(content, rng)
    elif kind == 1:
        damaged = content[:12] + mutate_bytes(content[12:end], rng) + content[end:]
    else:
        damaged = overwrite_bytes(content, rng, end)
    return repair_language_model(damaged) if rng.random() < 0.7 else damaged


def _read(path: Path) -> bytes:
    from asr_bench.errors import BenchError

    try:
        return path.read_bytes()
    except OSError as error:
        raise BenchError(f"{path} cannot be read: {error.strerror}") from None
