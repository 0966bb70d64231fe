"""Speech to text from one ONNX file: ``Recognizer.load().transcribe("speech.wav").text``.

The names below are imported when they are first used: a program that needs only `greedy_decode`
loads numpy and nothing else, and the command line starts quickly.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asr_runtime.decoding.beam_config import BeamConfig, PhonemeBeamConfig
    from asr_runtime.decoding.beam_decoder import BeamDecoder
    from asr_runtime.decoding.greedy import Decoding, greedy_decode
    from asr_runtime.errors import (
        AlignmentError,
        AsrRuntimeError,
        AudioContentError,
        AudioFileError,
        DecoderError,
        DeviceError,
        DeviceWarning,
        LanguageModelError,
        MicrophoneError,
        ModelFileError,
        StreamError,
    )
    from asr_runtime.live.live_stream import LiveStream, StreamResult
    from asr_runtime.model_file.model_card import ModelCard
    from asr_runtime.recognizer import Recognizer
    from asr_runtime.recordings.forced_alignment import Alignment
    from asr_runtime.sentences.endpointing import EndpointConfig
    from asr_runtime.timed_text import Alternative, ReadableWord, Token, Word
    from asr_runtime.transcript import Transcript

__version__ = "0.1.0"

# From 1.29 on, ONNX Runtime reports its use to its maker by default. It has to be told before it is
# imported, and this package is imported before it everywhere. Set the variable to 0 for reports.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

__all__ = [
    "Alignment",
    "AlignmentError",
    "Alternative",
    "AsrRuntimeError",
    "AudioContentError",
    "AudioFileError",
    "BeamConfig",
    "BeamDecoder",
    "DecoderError",
    "Decoding",
    "DeviceError",
    "DeviceWarning",
    "EndpointConfig",
    "LanguageModelError",
    "LiveStream",
    "MicrophoneError",
    "ModelCard",
    "ModelFileError",
    "PhonemeBeamConfig",
    "ReadableWord",
    "Recognizer",
    "StreamError",
    "StreamResult",
    "Token",
    "Transcript",
    "Word",
    "__version__",
    "greedy_decode",
]

_MODULE_OF = {
    "Alternative": "timed_text",
    "Alignment": "recordings.forced_alignment",
    "AlignmentError": "errors",
    "AsrRuntimeError": "errors",
    "AudioContentError": "errors",
    "AudioFileError": "errors",
    "BeamConfig": "decoding.beam_config",
    "BeamDecoder": "decoding.beam_decoder",
    "DecoderError": "errors",
    "Decoding": "decoding.greedy",
    "DeviceError": "errors",
    "DeviceWarning": "errors",
    "EndpointConfig": "sentences.endpointing",
    "LanguageModelError": "errors",
    "LiveStream": "live.live_stream",
    "MicrophoneError": "errors",
    "ModelCard": "model_file.model_card",
    "ModelFileError": "errors",
    "PhonemeBeamConfig": "decoding.beam_config",
    "ReadableWord": "timed_text",
    "Recognizer": "recognizer",
    "StreamError": "errors",
    "StreamResult": "live.live_stream",
    "Token": "timed_text",
    "Transcript": "transcript",
    "Word": "timed_text",
    "greedy_decode": "decoding.greedy",
}


def __getattr__(name: str) -> object:
    """Import a name of this package when it is first used."""
    module = _MODULE_OF.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(f"{__name__}.{module}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Return all names, imported or not."""
    return sorted({*globals(), *__all__})
