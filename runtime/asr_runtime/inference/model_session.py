"""A loaded model: the ONNX Runtime session on its device, and how to run it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from asr_runtime.decoding.heads import Heads
from asr_runtime.errors import AsrRuntimeError, AudioContentError, ModelFileError
from asr_runtime.inference import device as devices
from asr_runtime.inference.cpus import usable_cpus
from asr_runtime.model_file.contract import (
    CARD_KEY,
    CHUNK_FRAMES,
    CONTEXT_FRAMES,
    INPUT_LENGTHS,
    INPUT_VALUES,
    LOG_PROBS,
    NEXT_STATE,
    OUTPUT_LENGTHS,
    PHONEME_LOG_PROBS,
    STATE,
)
from asr_runtime.model_file.contract_check import check_contract
from asr_runtime.model_file.model_card import ModelCard

# Rounding can leave one a little above 0.
_LARGEST_LOG_PROB = 1e-2

_FLOAT_BYTES = 4
# Of one core's second-level cache, on most processors.
_CORE_CACHE_BYTES = 2**20

MAX_BATCH_SECONDS = 60.0
"""Padded audio in one run of the model, which bounds memory; a longer utterance runs alone."""

MAX_BATCH_ITEMS = 32
"""Utterances in one run of the model."""

NOT_A_MODEL = "is not an ONNX model; give the model.onnx that asr-export wrote"


class ModelSession:
    """A model on a device.

    Attributes:
        card: What the model says about itself.
        path: The file it came from.
        provider: ONNX Runtime's name for the device.
        heads: Columns of the rows that it gives.
    """

    def __init__(
        self,
        session: Any,
        path: Path,
        *,
        phonemes: bool = False,
        optimized: Callable[[], Any] | None = None,
    ) -> None:
        """Check that a session keeps the model contract.

        Args:
            session: The session of ONNX Runtime.
            path: The file it came from.
            phonemes: Whether to give what the model's second head says as well.
            optimized: Returns a session of the same model that takes longer to open and less time
                to run chunks of a stream and several utterances at once; None if there is none.

        Raises:
            ModelFileError: It does not keep the contract.
        """
        self._session = session
        self._optimized = optimized
        self.path = path
        self.provider: str = session.get_providers()[0]
        # A process with a single recording needs the memory for the search. With more of them, what
        # is returned each time leaves holes that the next one's does not fit in.
        self._is_first = self.provider == devices.CPU_PROVIDER
        try:
            card = session.get_modelmeta().custom_metadata_map.get(CARD_KEY)
            if card is None:
                raise ModelFileError(
                    "is an ONNX model without a model card; give one that asr-export wrote"
                )
            self.card = ModelCard.from_json(card)
            self.heads = Heads(len(self.card.vocabulary), self.card.blank_id, phonemes)
            check_contract(
                session.get_inputs(),
                session.get_overridable_initializers(),
                session.get_outputs(),
                self.card,
            )
        except UnicodeDecodeError:  # in a file of ONNX Runtime's own format, which is not scanned
            problem = "is damaged (its names or metadata are not text); copy it again"
            raise ModelFileError(problem, str(path)) from None
        except ModelFileError as error:
            error.subject = str(path)
            raise

    def with_phonemes(self) -> ModelSession:
        """Return the same model, whose rows have the second head's columns beside the letters'."""
        if self.heads.phonemes:
            return self
        return ModelSession(self._session, self.path, phonemes=True, optimized=self._optimized)

    @property
    def windows_per_run(self) -> int:
        """How many of the windows of a long recording should run at a time.

        With the edge preset, a third costs 20 MB and is worth it to several threads only. A large
        GRU waits for memory: each step reads weights that no core's cache holds, once for all
        windows. Four instead of two take 0.78 of the time with the base preset, and 200 MB more. A
        GPU has room for more.
        """
        if self.provider != devices.CPU_PROVIDER:
            return 16
        hidden = self.card.architecture.get("gru_hidden")
        if isinstance(hidden, int) and 3 * hidden * hidden * _FLOAT_BYTES > _CORE_CACHE_BYTES:
            return 4
        threads = self._session.get_session_options().intra_op_num_threads or usable_cpus()
        return 2 if threads == 1 else 3

    def run(
        self, batch: Sequence[npt.NDArray[np.float32]], *, often: bool = False
    ) -> list[npt.NDArray[np.float32]]:
        """Run one batch.

        Args:
            batch: Mono float32 waveforms [samples] at the model's rate, -1 to 1.
            often: Whether it is one of many.

        Returns:
            Natural-log probabilities of each waveform, float32 [frames, columns of ``heads``].

        Raises:
            AudioContentError: Memory does not suffice.
            ModelFileError: The model fails, or what it gives are not log-probabilities.
        """
        frames, *log_probs = self._run(
            [OUTPUT_LENGTHS, *self._outputs], _padded(batch), often=often or len(batch) > 1
        )
        return self._checked(log_probs, frames, len(batch))

    def run_all(
        self, waveforms: Sequence[npt.NDArray[np.float32]]
    ) -> list[npt.NDArray[np.float32]]:
        """Run any number of waveforms, those of similar length together.

        Args:
            waveforms: Mono float32 samples [samples] at the model's rate, -1 to 1.

        Returns:
            What `run` returns, in the order of the waveforms.

        Raises:
            AudioContentError: Memory does not suffice.
            ModelFileError: The model fails, or what it gives are not log-probabilities.
        """
        results: dict[int, npt.NDArray[np.float32]] = {}
        for batch in batches([len(each) for each in waveforms], self.card.sample_rate):
            outputs = self.run([waveforms[index] for index in batch])
            results.update(zip(batch, outputs, strict=True))
        return [results[index] for index in range(len(waveforms))]

    def run_chunk(
        self,
        samples: npt.NDArray[np.float32],
        context_frames: int,
        chunk_frames: int,
        state: npt.NDArray[np.float32],
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """Run one chunk of a stream, with a model whose card has ``streaming``.

        Args:
            samples: The context before the chunk, the chunk, and the look-ahead after it, float32
                [samples].
            context_frames: Frames of context that they begin with.
            chunk_frames: Frames to emit; at the end of the stream, more than there can be.
            state: What the chunk before gave, or zeros, float32 [layers, hidden].

        Returns:
            Natural-log probabilities, float32 [frames, columns of ``heads``], and the next state.

        Raises:
            AudioContentError: Memory does not suffice.
            ModelFileError: The model fails, or what it gives are not log-probabilities.
        """
        frames, next_state, *log_probs = self._run(
            [OUTPUT_LENGTHS, NEXT_STATE, *self._outputs],
            {
                **_padded([samples]),
                CONTEXT_FRAMES: np.array([context_frames], dtype=np.int64),
                CHUNK_FRAMES: np.array([chunk_frames], dtype=np.int64),
                STATE: state[np.newaxis],
            },
            often=True,
        )
        if next_state.shape != (1, *state.shape) or not np.isfinite(next_state).all():
            raise self._broken("returned a broken state")
        return self._checked(log_probs, frames, 1)[0], next_state[0]

    @property
    def _outputs(self) -> list[str]:
        return [LOG_PROBS, PHONEME_LOG_PROBS] if self.heads.phonemes else [LOG_PROBS]

    def _run(self, outputs: list[str], feeds: dict[str, npt.NDArray[Any]], *, often: bool) -> Any:
        """Run what is alone in a session that opens quickly, the rest in one that is optimised.

        Which one depends on nothing that was run before: the two round differently.
        """
        try:
            session = self._optimized() if often and self._optimized else self._session
            # No I/O binding: on a GPU, the waveform goes there once and the result comes back once
            # either way.
            if self._is_first and not often:
                self._is_first = False
                return devices.run_and_return_memory(session, outputs, feeds)
            return session.run(outputs, feeds)
        except Exception as error:
            if not devices.is_onnxruntime_error(error):
                raise
            raise self._explain(error, feeds[INPUT_VALUES].size) from error

    def _checked(
        self, heads: list[npt.NDArray[np.float32]], frames: npt.NDArray[np.int64], batch: int
    ) -> list[npt.NDArray[np.float32]]:
        """Return the rows of each item from the outputs of each head."""
        widths = [self.heads.letters, self.heads.width - self.heads.letters]
        for head, width in zip(heads, widths, strict=False):
            if head.shape != (batch, *heads[0].shape[1:2], width):
                raise self._broken(f"returned log-probabilities of shape {list(head.shape)}")
        log_probs = heads[0] if len(heads) == 1 else np.concatenate(heads, axis=2)
        if frames.shape != (batch,) or not ((frames >= 0) & (frames <= log_probs.shape[1])).all():
            raise self._broken("returned impossible numbers of frames")
        if np.isnan(log_probs).any():
            raise self._broken("returned NaN")
        if log_probs.max(initial=0) > _LARGEST_LOG_PROB:
            raise self._broken("returned values that are not log-probabilities")
        return [row[:count] for row, count in zip(log_probs, frames.tolist(), strict=True)]

    def _explain(self, error: Exception, samples: int) -> AsrRuntimeError:
        message = devices.clean_message(error)
        if "allocate memory" in message or "bad_alloc" in message:
            seconds = samples / self.card.sample_rate
            return AudioContentError(
                f"memory does not suffice for {seconds:.0f} s of audio at once; split it"
            )
        return self._broken(f"failed to run ({message})")

    def _broken(self, what: str) -> ModelFileError:
        return ModelFileError(f"{what}; export it again", str(self.path))


def _padded(batch: Sequence[npt.NDArray[np.float32]]) -> dict[str, npt.NDArray[Any]]:
    lengths = np.array([len(samples) for samples in batch], dtype=np.int64)
    if len(batch) == 1:
        # As it is, without a copy.
        alone = np.ascontiguousarray(batch[0], dtype=np.float32)[np.newaxis]
        return {INPUT_VALUES: alone, INPUT_LENGTHS: lengths}
    padded = np.zeros((len(batch), int(lengths.max())), dtype=np.float32)
    for row, samples in zip(padded, batch, strict=True):
        row[: len(samples)] = samples
    return {INPUT_VALUES: padded, INPUT_LENGTHS: lengths}


def batches(lengths: Sequence[int], sample_rate: int) -> Iterator[list[int]]:
    """Choose which utterances run together.

    Args:
        lengths: Of the utterances, in samples.
        sample_rate: Of the samples, in Hz.

    Yields:
        Indices of utterances of similar length, bounded in their number and padded size.
    """
    limit = MAX_BATCH_SECONDS * sample_rate
    batch: list[int] = []
    # Longest first: the first of a batch is its padded length, and memory peaks at the start.
    for index in sorted(range(len(lengths)), key=lengths.__getitem__, reverse=True):
        if batch and (
            len(batch) == MAX_BATCH_ITEMS or (len(batch) + 1) * lengths[batch[0]] > limit
        ):
            yield batch
            batch = []
        batch.append(index)
    if batch:
        yield batch
