"""The kinds of failure a user can do something about; anything else is a bug, with a traceback."""

from __future__ import annotations


class AsrRuntimeError(Exception):
    """Base of every error that asr_runtime raises on purpose; as text it is subject and problem.

    Attributes:
        problem: One line that says what is wrong and what to do.
        subject: The file or other input that it is about, or None.
    """

    def __init__(self, problem: str, subject: str | None = None) -> None:
        """Say what is wrong.

        Args:
            problem: One line that says what is wrong and what to do.
            subject: The file or other input that it is about, or None.
        """
        super().__init__(problem, subject)
        self.problem = problem
        self.subject = subject

    def __str__(self) -> str:
        """Return the subject, if there is one, and the problem."""
        return self.problem if self.subject is None else f"{self.subject}: {self.problem}"


class AudioFileError(AsrRuntimeError):
    """The audio file cannot be opened, is no audio, or is damaged or cut off."""


class AudioContentError(AsrRuntimeError):
    """The samples are unusable: none, too few, too many, not finite or wrongly scaled."""


class StreamError(AsrRuntimeError):
    """A stream's settings are impossible, or it was fed after its end."""


class AlignmentError(AsrRuntimeError):
    """A text cannot be aligned with its audio."""


class MicrophoneError(AsrRuntimeError):
    """There is no microphone, it cannot be used, or it stopped."""


class ModelFileError(AsrRuntimeError):
    """The model file is missing, is no ONNX model, or does not keep the model contract."""


class LanguageModelError(ModelFileError):
    """The language model is missing, damaged, no language model, or does not fit the model."""


class DecoderError(AsrRuntimeError):
    """The decoder asked for does not exist, or its settings or hotwords cannot be used."""


class DeviceError(AsrRuntimeError):
    """ONNX Runtime or the device asked for is not available, or its settings are invalid."""


class DeviceWarning(UserWarning):
    """``device="auto"`` found a CUDA build that does not work, and uses the CPU."""
