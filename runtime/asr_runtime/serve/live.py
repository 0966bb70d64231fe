"""Live audio over a WebSocket: samples in, partial and final text out.

The client sends binary messages of 16-bit little-endian mono samples, of any length, and at the end
the text message ``{"type": "end"}``. It receives JSON: ``{"type": "partial", "text": …, "stable":
…}`` while a sentence grows, ``{"type": "final", …}`` with words, times and confidences when it is
finished, and ``{"type": "end"}`` after the last. The query gives ``sample_rate``, 16000 if it does
not, hotwords (``hotwords=Panayotov,New York:2``, or ``hotword=`` for each), and the milliseconds
``chunk_ms``, ``lookahead_ms`` and ``pause_ms`` of ``asr-run listen``.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from fastapi import WebSocket, WebSocketDisconnect

from asr_runtime.errors import AsrRuntimeError
from asr_runtime.live.live_stream import StreamResult
from asr_runtime.sentences.endpointing import EndpointConfig
from asr_runtime.serve.errors import RequestError
from asr_runtime.serve.guards import log
from asr_runtime.serve.hotwords import HotwordRecognizers, listed
from asr_runtime.serve.metrics import Metrics
from asr_runtime.serve.settings import ServerSettings
from asr_runtime.serve.workers import Workers

_UNSUPPORTED, _POLICY, _TRY_LATER = _CODES = 1003, 1008, 1013
_LONGEST_MESSAGE = 2 * 768_000 * 10  # ten seconds at the highest sample rate


class Streams:
    """Serves a bounded number of live streams with one model."""

    def __init__(
        self,
        recognizers: HotwordRecognizers,
        workers: Workers,
        settings: ServerSettings,
        metrics: Metrics,
    ) -> None:
        self._recognizers = recognizers
        self._workers = workers
        self._settings = settings
        self._metrics = metrics
        self._open = 0
        self._closing = False

    async def serve(self, socket: WebSocket) -> None:
        """Serve one stream to its end."""
        await socket.accept()
        if self._open >= self._settings.streams or self._closing:
            await socket.close(_TRY_LATER, "too many streams are open; try again")
            return
        self._open += 1
        self._metrics.streams.set(self._open)
        try:
            with self._workers.live():
                await self._serve(socket)
        except WebSocketDisconnect:
            pass
        except RequestError as error:
            code = error.status if error.status in _CODES else _POLICY
            await _close(socket, code, error.message)
        except AsrRuntimeError as error:
            await _close(socket, _POLICY, error.problem)
        finally:
            self._open -= 1
            self._metrics.streams.set(self._open)

    async def _serve(self, socket: WebSocket) -> None:
        query = socket.query_params
        rate = _number(query.get("sample_rate", "16000"), "sample_rate", "Hz")
        assert rate is not None
        chunk, lookahead, pause = (
            _number(query.get(name), name, "milliseconds")
            for name in ("chunk_ms", "lookahead_ms", "pause_ms")
        )
        endpoint = None if pause is None else EndpointConfig(silence_seconds=pause / 1000)
        hotwords = listed(query.getlist("hotwords"), query.getlist("hotword"))
        recognizer = self._recognizers.plain
        if hotwords:
            recognizer = await self._workers.run(partial(self._recognizers.get, hotwords))
        stream = recognizer.stream(rate, chunk_ms=chunk, lookahead_ms=lookahead, endpoint=endpoint)
        seconds = 0.0
        while True:
            message = await self._next(socket)
            data = message.get("bytes")
            if data is not None:
                samples = _samples(data)
                await self._send(socket, await self._run(stream.feed, samples))
                seconds += len(samples) / rate
                if seconds > self._settings.max_seconds:
                    raise RequestError(_POLICY, "the stream is too long; begin another one")
            elif _is_end(message.get("text")):
                await self._send(socket, await self._run(stream.finish))
                await socket.send_json({"type": "end"})
                await socket.close()
                log("stream", audio_seconds=round(seconds, 3))
                return

    async def _next(self, socket: WebSocket) -> dict[str, Any]:
        try:
            waiting = asyncio.wait_for(socket.receive(), self._settings.idle_seconds)
            message = dict(await waiting)
        except asyncio.TimeoutError:
            raise RequestError(_POLICY, "nothing arrived for too long") from None
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message.get("code", 1000))
        return message

    async def _run(
        self, function: Callable[..., Sequence[StreamResult]], *arguments: Any
    ) -> Sequence[StreamResult]:
        return await self._workers.run(partial(function, *arguments))

    async def _send(self, socket: WebSocket, results: Sequence[StreamResult]) -> None:
        for result in results:
            kind = "final" if result.is_final else "partial"
            await socket.send_json({"type": kind, **result.to_dict()})

    def close(self) -> None:
        """Take no more streams."""
        self._closing = True


def _number(text: str | None, name: str, unit: str) -> float | None:
    """The number of a field of the query, None if it is not there."""
    if text is None:
        return None
    try:
        return float(text)
    except ValueError:
        raise RequestError(_POLICY, f"{name} is a number of {unit}") from None


def _samples(data: bytes) -> np.ndarray[Any, np.dtype[np.int16]]:
    """int16 [samples] of a message."""
    if len(data) % 2 or len(data) > _LONGEST_MESSAGE:
        raise RequestError(_UNSUPPORTED, "send 16-bit samples, ten seconds of them at most")
    return np.frombuffer(data, "<i2")


def _is_end(text: str | None) -> bool:
    try:
        message = json.loads(text or "")
    except ValueError:
        message = None
    if isinstance(message, dict) and message.get("type") == "end":
        return True
    raise RequestError(_UNSUPPORTED, 'send samples, or {"type": "end"} after the last')


async def _close(socket: WebSocket, code: int, reason: str) -> None:
    """Close with a reason that fits the frame: 123 bytes."""
    await socket.close(code, reason.encode()[:120].decode(errors="ignore"))
