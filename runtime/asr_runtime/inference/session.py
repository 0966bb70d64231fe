"""A loaded model: the ONNX Runtime session on its device, and how to run it."""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from asr_runtime.decoding.heads import Heads
from asr_runtime.errors import (
    AsrRuntimeError,
    AudioContentError,
    DeviceError,
    DeviceWarning,
    ModelFileError,
)
from asr_runtime.inference import device as devices
from asr_runtime.inference.cpus import usable_cpus
from asr_runtime.model_file.contract import (
    CHUNK_FRAMES,
    CONTEXT_FRAMES,
    INPUT_LENGTHS,
    INPUT_VALUES,
    LOG_PROBS,
    NEXT_STATE,
    OUTPUT_LENGTHS,
    PHONEME_LOG_PROBS,
    STATE,
    check_contract,
)
from asr_runtime.model_file.model_bytes import read_model_bytes
from asr_runtime.model_file.model_card import METADATA_KEY, ModelCard

# Rounding can leave one a little above 0.
_LARGEST_LOG_PROB = 1e-2

_FLOAT_BYTES = 4
# Of one core's second-level cache, on most processors.
_CORE_CACHE_BYTES = 2**20

NOT_A_MODEL = "is not an ONNX model; give the model.onnx that asr-export wrote"


class ModelSession:
    """A model on a device. `card`, `path` and `provider` (ONNX Runtime's name) tell which.

    phonemes: whether to give what its second head says as well.

    heads: the columns of the rows that it gives.
    """

    def __init__(self, session: Any, path: Path, *, phonemes: bool = False) -> None:
        self._session = session
        self.path = path
        self.provider: str = session.get_providers()[0]
        try:
            card = session.get_modelmeta().custom_metadata_map.get(METADATA_KEY)
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

    def with_phonemes(self) -> "ModelSession":
        """The same model, whose rows have the second head's columns beside the letters'."""
        return ModelSession(self._session, self.path, phonemes=True)

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

    def run(self, batch: Sequence[npt.NDArray[np.float32]]) -> list[npt.NDArray[np.float32]]:
        """Log-probabilities [frames, columns of `heads`] of each waveform [samples] of one batch.

        Raises AudioContentError if memory does not suffice, and ModelFileError if the model fails
        or gives something that is no log-probability.
        """
        frames, *log_probs = self._run([OUTPUT_LENGTHS, *self._outputs], _padded(batch))
        return self._checked(log_probs, frames, len(batch))

    def run_chunk(
        self,
        samples: npt.NDArray[np.float32],
        context_frames: int,
        chunk_frames: int,
        state: npt.NDArray[np.float32],
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """One chunk of a stream, with a model whose card has `streaming`.

        samples: [samples] of the context before the chunk, the chunk, and the look-ahead after it.
        context_frames: how many frames of context they begin with.
        chunk_frames: frames to emit; at the end of the stream, more than there can be.
        state: [layers, hidden], what the chunk before gave, or zeros.

        Returns log-probabilities [frames, columns of `heads`] and the next state. Raises as `run`
        does.
        """
        frames, next_state, *log_probs = self._run(
            [OUTPUT_LENGTHS, NEXT_STATE, *self._outputs],
            {
                **_padded([samples]),
                CONTEXT_FRAMES: np.array([context_frames], dtype=np.int64),
                CHUNK_FRAMES: np.array([chunk_frames], dtype=np.int64),
                STATE: state[np.newaxis],
            },
        )
        if next_state.shape != (1, *state.shape) or not np.isfinite(next_state).all():
            raise self._broken("returned a broken state")
        return self._checked(log_probs, frames, 1)[0], next_state[0]

    @property
    def _outputs(self) -> list[str]:
        return [LOG_PROBS, PHONEME_LOG_PROBS] if self.heads.phonemes else [LOG_PROBS]

    def _run(self, outputs: list[str], feeds: dict[str, npt.NDArray[Any]]) -> Any:
        try:
            # No I/O binding: on a GPU, the waveform goes there once and the result comes back once
            # either way.
            return self._session.run(outputs, feeds)
        except Exception as error:
            if not devices.is_onnxruntime_error(error):
                raise
            raise self._explain(error, feeds[INPUT_VALUES].size) from error

    def _checked(
        self, heads: list[npt.NDArray[np.float32]], frames: npt.NDArray[np.int64], batch: int
    ) -> list[npt.NDArray[np.float32]]:
        """The rows of each item, of the outputs of each head."""
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
            raise self._broken("returned what are no log-probabilities")
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


def load_session(path: Path, *, device: str = "auto", threads: int | None = None) -> ModelSession:
    """Load a model file onto a device: "cpu", "cuda", or "auto" (CUDA where it works, else CPU).

    threads: CPU threads, None for one on each CPU that the process may use.

    Raises ModelFileError for a file that is no model of ours and DeviceError for a device that
    cannot be used. "auto" warns (DeviceWarning) if a CUDA build is installed but does not work.
    """
    if device not in devices.DEVICES:
        raise DeviceError(f"there is no device {device!r}; choose auto, cpu or cuda")
    if threads is not None and threads < 1:
        raise DeviceError(f"{threads} threads are too few; give 1 or more, or none for all CPUs")
    onnxruntime = devices.load_onnxruntime()
    content = read_model_bytes(path)
    options = devices.quiet_options(onnxruntime, threads)
    if device == "cuda" or (device == "auto" and devices.expects_cuda(onnxruntime)):
        model = _load_on_cuda(onnxruntime, path, content, options)
        if isinstance(model, ModelSession):
            return model
        if device == "cuda":
            raise DeviceError(f"CUDA cannot be used: {model}")
        warnings.warn(f"using the CPU, for {model}", DeviceWarning, stacklevel=3)
    return _load_on_cpu(onnxruntime, path, content, options)


def _load_on_cpu(onnxruntime: Any, path: Path, content: bytes, options: Any) -> ModelSession:
    try:
        session = _create(onnxruntime, content, options, [devices.CPU_PROVIDER])
    except Exception as error:
        if not devices.is_onnxruntime_error(error):
            raise
        if type(error).__name__ == "InvalidProtobuf":
            raise ModelFileError(NOT_A_MODEL, str(path)) from None
        problem = (
            f"cannot be loaded by onnxruntime {onnxruntime.__version__} "
            f"({devices.clean_message(error)}); upgrade onnxruntime or export the model again"
        )
        raise ModelFileError(problem, str(path)) from None
    return ModelSession(session, path)


def _load_on_cuda(onnxruntime: Any, path: Path, content: bytes, options: Any) -> ModelSession | str:
    """The model on CUDA, proven to run there, or why that does not work."""
    obstacle = devices.cuda_obstacle(onnxruntime)
    if obstacle is not None:
        return obstacle
    missing = devices.preload_cuda_libraries(onnxruntime)
    cause: Exception | None = None
    try:
        providers = [(devices.CUDA_PROVIDER, devices.CUDA_OPTIONS), devices.CPU_PROVIDER]
        session = _create(onnxruntime, content, options, providers)
        if session.get_providers()[0] == devices.CUDA_PROVIDER:
            model = ModelSession(session, path)
            # A missing cuDNN part shows at the first convolution only. This also takes the slow
            # first run off the first utterance.
            model.run([np.zeros(model.card.sample_rate, np.float32)])
            return model
    except AsrRuntimeError as error:
        if error.__cause__ is None:
            raise  # the model is wrong on any device
        cause = error.__cause__ if isinstance(error.__cause__, Exception) else error
    except Exception as error:
        if not devices.is_onnxruntime_error(error):
            raise
        # The device or the model? If it is the model, this says so.
        _load_on_cpu(onnxruntime, path, content, options)
        cause = error
    return devices.cuda_failure(onnxruntime, missing, cause)


def _create(onnxruntime: Any, content: bytes, options: Any, providers: list[Any]) -> Any:
    # Its own fallback would retry on the CPU, here and at every later run, and print to standard
    # output.
    session = onnxruntime.InferenceSession(content, options, providers=providers, enable_fallback=0)
    # Kept for that fallback alone: the whole file a second time, for as long as the session lives.
    session._model_bytes = None
    return session
