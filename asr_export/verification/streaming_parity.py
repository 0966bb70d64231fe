"""Does an exported model stream as the checkpoint does, and in the limit as on the whole?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch

from asr_export.loading.backends import Floats, Integers, OnnxBackend
from asr_runtime.model_file.contract import ALL_FRAMES
from asr_train.model.chunking import Chunking
from asr_train.model.config import ModelConfig
from asr_train.model.network import ResCNNBiGRU
from asr_train.model.streaming import StreamingModel

#: float32 [1, samples], int64 [1] each, and the state, to log-probabilities, frames, next state.
Chunk = Callable[[Floats, Integers, Integers, Integers, Floats], tuple[Floats, Integers, Floats]]


@dataclass(frozen=True)
class StreamingParity:
    """Comparison of an exported model with PyTorch on a stream.

    Attributes:
        chunk_frames: of the stream.
        lookahead_frames: of the stream.
        max_difference: largest |Δ| from PyTorch on the same stream.
        max_whole_difference: largest |Δ| of a stream that looks ahead to the end from the model's
            own result on the whole.
        tolerance: of both.
    """

    chunk_frames: int
    lookahead_frames: int
    max_difference: float
    max_whole_difference: float
    tolerance: float

    @property
    def passed(self) -> bool:
        """Whether both are within the tolerance; NaN is not."""
        return self.max_difference <= self.tolerance and self.max_whole_difference <= self.tolerance

    def to_dict(self) -> dict[str, Any]:
        """JSON values, as reports hold them."""
        return {**asdict(self), "passed": self.passed}

    def line(self) -> str:
        """Sum it up in one line for a terminal."""
        verdict = "" if self.passed else "  FAILED"
        return (
            f"stream, {self.chunk_frames} + {self.lookahead_frames} frames: max |d log-prob| "
            f"{self.max_difference:.1e}, with all of the look-ahead against the whole "
            f"{self.max_whole_difference:.1e}{verdict}"
        )


def check_streaming(
    reference: ResCNNBiGRU,
    candidate: OnnxBackend,
    chunking: Chunking,
    signal: Floats,
    tolerance: float,
) -> StreamingParity:
    """Compare two models on the stream of one signal.

    Args:
        reference: the network in PyTorch, with the exported weights.
        candidate: the exported model.
        chunking: chunk and look-ahead of the stream.
        signal: float32 [samples].
        tolerance: largest |Δ log-probability| allowed.
    """
    config = reference.config
    expected = stream(_torch_chunk(reference), config, chunking, signal)
    result = stream(candidate.chunk, config, chunking, signal)
    unlimited = Chunking(chunking.chunk_frames, config.frames(len(signal)))
    streamed = stream(candidate.chunk, config, unlimited, signal)
    whole = candidate(signal[None, :], np.array([len(signal)], dtype=np.int64))[0][0]
    return StreamingParity(
        chunking.chunk_frames,
        chunking.lookahead_frames,
        _difference(result, expected),
        _difference(streamed, whole),
        tolerance,
    )


def stream(chunk: Chunk, config: ModelConfig, chunking: Chunking, signal: Floats) -> Floats:
    """Run a signal through a model chunk by chunk.

    The samples of a chunk and its look-ahead end one before the next frame's centre, because with
    it the model would make a frame of half a window.

    Args:
        chunk: runs one chunk.
        config: the model's sizes.
        chunking: chunk and look-ahead in frames.
        signal: float32 [samples].

    Returns:
        Log-probabilities float32 [frames, classes].
    """
    stride = config.frame_stride
    window = (chunking.chunk_frames + chunking.lookahead_frames) * stride - 1
    state = np.zeros((1, config.gru_layers, config.gru_hidden), dtype=np.float32)
    results: list[Floats] = []
    position, last = 0, False
    while not last:
        begin = position * stride
        context = min(position, config.context_frames)
        last = len(signal) - begin < window
        values = signal[None, begin - context * stride : begin + window]
        numbers = (values.shape[1], context, ALL_FRAMES if last else chunking.chunk_frames)
        lengths, contexts, frames = (np.array([number], dtype=np.int64) for number in numbers)
        logprobs, emitted, state = chunk(values, lengths, contexts, frames, state)
        results.append(logprobs[0, : int(emitted[0])])
        position += int(emitted[0])
        if not emitted[0]:
            break
    return np.concatenate(results)


def _torch_chunk(model: ResCNNBiGRU) -> Chunk:
    module = StreamingModel(model).eval()

    @torch.inference_mode()
    def chunk(*arrays: Any) -> tuple[Floats, Integers, Floats]:
        inputs = (torch.from_numpy(array) for array in arrays)
        letters, lengths, *phonemes, state = module(*inputs)
        return torch.cat([letters, *phonemes], 2).numpy(), lengths.numpy(), state.numpy()

    return chunk


def _difference(result: Floats, expected: Floats) -> float:
    if result.shape != expected.shape:
        return np.inf
    return float(np.abs(result - expected).max())
