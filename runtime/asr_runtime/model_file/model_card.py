"""The facts about a model that travel inside it, as JSON.

The runtime reads cards and the exporter writes them, both through `ModelCard`.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from asr_runtime.audio.samples import SAMPLE_RATES
from asr_runtime.bounded_json import parse_object
from asr_runtime.errors import ModelFileError
from asr_runtime.model_file.contract import CARD_FORMAT_VERSION
from asr_runtime.model_file.word_calibration import WordCalibration, calibrations_from_card

_Kind = TypeVar("_Kind")

MAX_VOCABULARY = 4096
MAX_CLASS_CHARACTERS = 64
MAX_FRAME_STRIDE = 1_000_000
MAX_STREAM_FRAMES = 100_000
MAX_STATE_SIZE = 65_536

_NUMBERS = (int, float)


@dataclass(frozen=True)
class StreamingCard:
    """How a model that can stream is to be streamed.

    Attributes:
        chunk_frames: frames of output at a time that the model recommends; other numbers work, with
            another error rate.
        lookahead_frames: the same for the frames of audio after a chunk that it looks ahead at.
        context_frames: frames of audio before a chunk that the model has to see again.
        state_shape: layers and hidden units of the state that goes from chunk to chunk, without the
            batch.
        latency_ms: milliseconds from a sound to the samples that its text waits for, at most; None
            in a card that does not say.
    """

    chunk_frames: int
    lookahead_frames: int
    context_frames: int
    state_shape: tuple[int, ...]
    latency_ms: float | None = None

    @classmethod
    def from_card(cls, values: Mapping[str, Any]) -> "StreamingCard":
        """Read the card's ``streaming``.

        Raises:
            ModelFileError: a value is missing or cannot be.
        """
        shape = _required(values, "state_shape")
        if not (
            isinstance(shape, list)
            and len(shape) == 2
            and all(isinstance(size, int) and 1 <= size <= MAX_STATE_SIZE for size in shape)
        ):
            raise _wrong("state_shape", "two sizes", shape)
        latency = values.get("latency_ms")
        if latency is not None and (isinstance(latency, bool) or not isinstance(latency, _NUMBERS)):
            raise _wrong("latency_ms", "a number", latency)
        return cls(
            chunk_frames=_integer(values, "chunk_frames", 1, MAX_STREAM_FRAMES),
            lookahead_frames=_integer(values, "lookahead_frames", 0, MAX_STREAM_FRAMES),
            context_frames=_integer(values, "context_frames", 0, MAX_STREAM_FRAMES),
            state_shape=tuple(shape),
            latency_ms=latency,
        )

    def to_dict(self) -> dict[str, Any]:
        """The card's ``streaming`` as JSON values."""
        latency = {} if self.latency_ms is None else {"latency_ms": self.latency_ms}
        return {
            "chunk_frames": self.chunk_frames,
            "lookahead_frames": self.lookahead_frames,
            "context_frames": self.context_frames,
            "state_shape": list(self.state_shape),
            **latency,
        }


@dataclass(frozen=True)
class ModelCard:
    """What a loader has to know about a model, and what a reader may want to.

    The fields are in the order of the JSON. Those after ``phonemes``, but for ``streaming``,
    describe the model and may be empty.

    Attributes:
        format_version: of the card.
        sample_rate: samples a second that the model takes.
        vocabulary: the text of each output class.
        blank_id: index of the CTC blank in the vocabulary.
        frame_stride: samples from one output frame to the next.
        phonemes: classes of the second head, whose last class, not among these, is their blank;
            None for a model without one.
        architecture: the network's name and sizes.
        parameters: trainable weights.
        precision: how exactly the file holds the weights, such as ``int8``.
        precision_note: the same in a sentence, where weights are rounded.
        arithmetic: what the network computes in; None for float32.
        producer: name and version of the program that wrote the file.
        versions: of the packages that took part, by name.
        checkpoint_sha256: digest of the checkpoint's weights file, in hexadecimal digits.
        training: how long the model was trained, and on how much.
        word_error_rate: shares of wrong words by data and decoder, 0 to 1; None if not measured.
        documentation: sources, licences and limits for people to read, in Markdown.
        streaming: how to stream it; None for a model for whole recordings only.
        calibration: corrections of word times and confidences, by the way of decoding.
        extra: keys that this version does not know.
    """

    format_version: int
    sample_rate: int
    vocabulary: tuple[str, ...]
    blank_id: int
    frame_stride: int
    phonemes: tuple[str, ...] | None = None
    architecture: Mapping[str, Any] = field(default_factory=dict)
    parameters: int | None = None
    precision: str | None = None
    precision_note: str | None = None
    arithmetic: str | None = None
    producer: str | None = None
    versions: Mapping[str, str] = field(default_factory=dict)
    checkpoint_sha256: str | None = None
    training: Mapping[str, Any] = field(default_factory=dict)
    word_error_rate: Mapping[str, Any] | None = None
    documentation: str | None = None
    streaming: StreamingCard | None = None
    calibration: Mapping[str, WordCalibration] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def seconds_per_frame(self) -> float:
        """Seconds from one output frame to the next."""
        return self.frame_stride / self.sample_rate

    @classmethod
    def from_json(cls, text: str) -> "ModelCard":
        """Read a card.

        Raises:
            ModelFileError: it is no JSON object, lacks a key, has a value that cannot be, or is of
                a newer version.
        """
        try:
            values = parse_object(text)
        except ValueError as error:
            raise ModelFileError(
                f"its model card is broken JSON ({error}); export it again"
            ) from None
        # The version comes first: a newer format may have renamed any other key.
        version = _integer(values, "format_version", minimum=1)
        if version > CARD_FORMAT_VERSION:
            raise ModelFileError(
                f"it has model format {version} and this version reads up to {CARD_FORMAT_VERSION};"
                " upgrade with: pip install --upgrade asr-runtime"
            )
        vocabulary = _symbols("vocabulary", _required(values, "vocabulary"))
        blank_id = _integer(values, "blank_id", minimum=0)
        if blank_id >= len(vocabulary):
            raise _wrong("blank_id", f"an index into the vocabulary of {len(vocabulary)}", blank_id)
        parameters = None if values.get("parameters") is None else _integer(values, "parameters", 0)
        streaming = _optional(values, "streaming", dict)
        known = cls.__dataclass_fields__.keys() - {"extra"}
        return cls(
            format_version=version,
            sample_rate=_integer(values, "sample_rate", *SAMPLE_RATES),
            vocabulary=vocabulary,
            blank_id=blank_id,
            frame_stride=_integer(values, "frame_stride", 1, MAX_FRAME_STRIDE),
            phonemes=_phonemes(values),
            architecture=_optional(values, "architecture", dict) or {},
            parameters=parameters,
            precision=_optional(values, "precision", str),
            precision_note=_optional(values, "precision_note", str),
            arithmetic=_optional(values, "arithmetic", str),
            producer=_optional(values, "producer", str),
            versions=_optional(values, "versions", dict) or {},
            checkpoint_sha256=_optional(values, "checkpoint_sha256", str),
            training=_optional(values, "training", dict) or {},
            word_error_rate=_optional(values, "word_error_rate", dict),
            documentation=_optional(values, "documentation", str),
            streaming=None if streaming is None else StreamingCard.from_card(streaming),
            calibration=calibrations_from_card(values.get("calibration")),
            extra={key: value for key, value in values.items() if key not in known},
        )

    def to_dict(self) -> dict[str, Any]:
        """The card as JSON values, what `from_json` reads.

        What is None is left out, but for the word error rate: there, null says that none was
        measured.
        """
        values: dict[str, Any] = {}
        for name in self.__dataclass_fields__:
            value = getattr(self, name)
            if isinstance(value, StreamingCard):
                value = value.to_dict()
            elif isinstance(value, tuple):
                value = list(value)
            elif name == "calibration":
                value = {kind: one.to_dict() for kind, one in value.items()} or None
            if name != "extra" and (value is not None or name == "word_error_rate"):
                values[name] = value
        return {**values, **self.extra}

    def to_json(self) -> str:
        """The card as the text that an exported file carries."""
        return json.dumps(self.to_dict())


def _integer(values: Mapping[str, Any], key: str, minimum: int, maximum: int | None = None) -> int:
    value = _required(values, key)
    if not isinstance(value, int) or isinstance(value, bool) or value < minimum:
        raise _wrong(key, f"an integer of at least {minimum}", value)
    if maximum is not None and value > maximum:
        raise _wrong(key, f"an integer of at most {maximum}", value)
    return value


def _optional(values: Mapping[str, Any], key: str, kind: type[_Kind]) -> _Kind | None:
    value = values.get(key)
    if value is not None and not isinstance(value, kind):
        raise _wrong(key, "a string" if kind is str else "a JSON object", value)
    return value


def _phonemes(values: Mapping[str, Any]) -> tuple[str, ...] | None:
    value = values.get("phonemes")
    return None if value is None else _symbols("phonemes", value)


def _symbols(key: str, value: Any) -> tuple[str, ...]:
    if not (isinstance(value, list) and value and all(isinstance(item, str) for item in value)):
        raise _wrong(key, "a list of strings", value)
    if len(set(value)) < len(value):
        raise _wrong(key, "a list without repetitions", value)
    if len(value) > MAX_VOCABULARY or max(map(len, value)) > MAX_CLASS_CHARACTERS:
        raise _wrong(key, f"{MAX_VOCABULARY} strings of {MAX_CLASS_CHARACTERS} at most", value)
    # Others could change what a terminal shows, or cannot be written at all.
    if not all(item.isprintable() for item in value):
        raise _wrong(key, "a list of printable strings", value)
    return tuple(value)


def _required(values: Mapping[str, Any], key: str) -> Any:
    try:
        return values[key]
    except KeyError:
        raise ModelFileError(f"its model card has no {key!r}; export it again") from None


def _wrong(key: str, expected: str, value: object) -> ModelFileError:
    shown = repr(value)
    shown = shown if len(shown) <= 60 else f"{shown[:57]}..."
    return ModelFileError(
        f"its model card's {key!r} should be {expected}, not {shown}; export it again"
    )
