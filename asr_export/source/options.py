"""What can be chosen about an export, whatever the format."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, TypeVar

from asr_export.errors import ExportError
from asr_export.quantization.precision import Arithmetic, Precision

if TYPE_CHECKING:
    from asr_runtime.model_file.model_card import ModelCard
    from asr_train.model.chunking import Chunking
    from asr_train.model.config import ModelConfig

DEFAULT_CHUNK_MS = 640.0
"""Milliseconds of a chunk that a streaming file recommends, unless told otherwise."""
DEFAULT_LOOKAHEAD_MS = 320.0
"""Milliseconds of look-ahead that a streaming file recommends, unless told otherwise."""

_Choice = TypeVar("_Choice", bound=Enum)


@dataclass(frozen=True)
class ExportOptions:
    """How a checkpoint is exported; one object that every step of an export is given.

    Attributes:
        precision: how exactly the file holds the weights.
        arithmetic: what the network computes in; None for what the format does at this precision.
        chunking: chunk and look-ahead that a file for streams recommends, in frames; None for a
            file for whole recordings only.
        documentation: Markdown for the model's card: sources, licences, limits.
    """

    precision: Precision = Precision.fp32
    arithmetic: Arithmetic | None = None
    chunking: Chunking | None = None
    documentation: str | None = None

    @property
    def computes_in(self) -> Arithmetic:
        """The arithmetic; float32 if none was chosen."""
        return self.arithmetic or Arithmetic.fp32

    @property
    def note(self) -> str | None:
        """What is rounded, in a sentence for the model's card; None if nothing is."""
        return self.computes_in.note or self.precision.note

    @classmethod
    def from_card(cls, card: ModelCard) -> ExportOptions:
        """The options that a file was exported with.

        Args:
            card: the file's.

        Raises:
            ExportError: the card states a precision or an arithmetic that this version lacks.
        """
        from asr_train.model.chunking import Chunking

        streaming = card.streaming
        return cls(
            precision=_stated("precision", card.precision, Precision),
            arithmetic=_stated("arithmetic", card.arithmetic or Arithmetic.fp32, Arithmetic),
            chunking=None
            if streaming is None
            else Chunking(streaming.chunk_frames, streaming.lookahead_frames),
            documentation=card.documentation,
        )


def stream_chunking(
    config: ModelConfig,
    chunk_ms: float = DEFAULT_CHUNK_MS,
    lookahead_ms: float = DEFAULT_LOOKAHEAD_MS,
) -> Chunking:
    """Chunk and look-ahead in the frames of a model.

    Args:
        config: the model's.
        chunk_ms: milliseconds of a chunk.
        lookahead_ms: milliseconds of look-ahead.

    Raises:
        ConfigError: the chunk has not one frame, or the look-ahead is negative.
    """
    from asr_train.model.chunking import Chunking

    return Chunking.from_milliseconds(config, chunk_ms, lookahead_ms)


def _stated(name: str, value: object, choices: type[_Choice]) -> _Choice:
    try:
        return choices(value)
    except ValueError:
        known = ", ".join(choice.value for choice in choices)
        raise ExportError(
            f"the model's card states the {name} {value!r}, this version knows {known}; "
            "upgrade asr-export or export the model again"
        ) from None
