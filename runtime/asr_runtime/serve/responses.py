"""Transcripts in the forms that OpenAI's transcription endpoint has."""

from __future__ import annotations

import json
import math
from collections.abc import AsyncIterator, Sequence
from enum import Enum
from typing import Any

from asr_runtime.subtitles import to_srt, to_vtt
from asr_runtime.timed_text import SECONDS_DIGITS
from asr_runtime.transcript import Transcript

LANGUAGE = "english"


class ResponseFormat(str, Enum):
    """What a client may ask for as ``response_format``."""

    json = "json"
    text = "text"
    srt = "srt"
    verbose_json = "verbose_json"
    vtt = "vtt"


MEDIA_TYPES = {
    ResponseFormat.text: "text/plain; charset=utf-8",
    ResponseFormat.srt: "application/x-subrip; charset=utf-8",
    ResponseFormat.vtt: "text/vtt; charset=utf-8",
}


def as_text(segments: Sequence[Transcript], form: ResponseFormat) -> str:
    """The body of an answer that is not JSON."""
    if form is ResponseFormat.text:
        return " ".join(segment.text for segment in segments if segment.text) + "\n"
    words = [word for segment in segments for word in segment.shown_words]
    return to_srt(words) if form is ResponseFormat.srt else to_vtt(words)


def as_json(segments: Sequence[Transcript]) -> dict[str, Any]:
    """The short JSON answer."""
    duration = segments[-1].start + segments[-1].duration if segments else 0.0
    return {
        "text": " ".join(segment.text for segment in segments if segment.text),
        "usage": {"type": "duration", "seconds": math.ceil(duration)},
    }


def as_verbose_json(segments: Sequence[Transcript], granularities: set[str]) -> dict[str, Any]:
    """The long JSON answer, with segments or words or both.

    Segments have ``alternatives``, which OpenAI does not, where the recogniser was asked for them.
    ``avg_logprob`` is the logarithm of our confidence. What only Whisper has, such as a
    temperature, is given its neutral value, because clients expect the keys.
    """
    spoken = [segment for segment in segments if segment.text]
    duration = segments[-1].start + segments[-1].duration if segments else 0.0
    answer: dict[str, Any] = {
        "task": "transcribe",
        "language": LANGUAGE,
        "duration": round(duration, SECONDS_DIGITS),
        **as_json(segments),
    }
    if "segment" in granularities:
        answer["segments"] = [_segment(index, segment) for index, segment in enumerate(spoken)]
    if "word" in granularities:
        answer["words"] = [
            {
                "word": word.text,
                "start": round(word.start, SECONDS_DIGITS),
                "end": round(word.end, SECONDS_DIGITS),
                "confidence": round(word.confidence, 4),
            }
            for segment in spoken
            for word in segment.words
        ]
    return answer


def _segment(index: int, segment: Transcript) -> dict[str, Any]:
    words, others = segment.words, segment.alternatives
    return {
        "id": index,
        "seek": 0,
        "start": round(words[0].start, SECONDS_DIGITS),
        "end": round(words[-1].end, SECONDS_DIGITS),
        "text": segment.text,
        "tokens": [],
        "temperature": 0.0,
        "avg_logprob": round(math.log(max(segment.confidence, 1e-10)), 4),
        "compression_ratio": 1.0,
        "no_speech_prob": 0.0,
        **({"alternatives": [each.to_dict() for each in others]} if others else {}),
    }


async def as_events(segments: AsyncIterator[Transcript]) -> AsyncIterator[str]:
    """Server-sent events: a delta for each segment as it is found, then the whole text."""
    texts: list[str] = []
    async for segment in segments:
        if segment.text:
            delta = (" " if texts else "") + segment.text
            texts.append(segment.text)
            yield _event({"type": "transcript.text.delta", "delta": delta})
    yield _event({"type": "transcript.text.done", "text": " ".join(texts)})


def _event(fields: dict[str, Any]) -> str:
    return f"data: {json.dumps(fields)}\n\n"
