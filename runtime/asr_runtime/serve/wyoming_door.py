"""The Wyoming protocol, by which Home Assistant and its satellites ask for transcripts.

A client sends ``transcribe``, ``audio-start``, ``audio-chunk``… and ``audio-stop``, and receives a
``transcript``. The audio goes through the model while it arrives, so that the text is there soon
after the last word.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
from wyoming.asr import Transcribe, Transcript
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.error import Error
from wyoming.event import Event
from wyoming.info import AsrModel, AsrProgram, Attribution, Describe, Info
from wyoming.server import AsyncEventHandler, AsyncServer

from asr_runtime import __version__
from asr_runtime.errors import AsrRuntimeError
from asr_runtime.live.live_stream import LiveStream, StreamResult
from asr_runtime.recognizer import Recognizer
from asr_runtime.serve.settings import ServerSettings
from asr_runtime.serve.workers import Workers

_ATTRIBUTION = Attribution(name="asr-export", url="")
_WIDTHS: dict[int, npt.DTypeLike] = {1: "u1", 2: "<i2", 4: "<i4"}


class WyomingDoor:
    """Serves the protocol beside the HTTP application, with the same recogniser."""

    def __init__(self, recognizer: Recognizer, workers: Workers, settings: ServerSettings) -> None:
        self._recognizer = recognizer
        self._workers = workers
        self._settings = settings
        self.connections = 0

    async def run(self, uri: str) -> None:
        """Serve at ``tcp://HOST:PORT`` or ``unix://PATH`` until cancelled."""
        server = AsyncServer.from_uri(uri)
        await server.run(partial(_Handler, self, self._recognizer, self._workers, self._settings))


class _Handler(AsyncEventHandler):
    """One connection."""

    def __init__(
        self,
        door: WyomingDoor,
        recognizer: Recognizer,
        workers: Workers,
        settings: ServerSettings,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        super().__init__(reader, writer)
        self._door = door
        self._recognizer = recognizer
        self._workers = workers
        self._settings = settings
        self._stream: LiveStream | None = None
        self._texts: list[str] = []
        self._seconds = 0.0
        door.connections += 1

    async def handle_event(self, event: Event) -> bool:
        """Answer one event; False ends the connection."""
        try:
            return await self._handle(event)
        except AsrRuntimeError as error:
            await self.write_event(Error(text=error.problem, code="audio").event())
        except (KeyError, TypeError, ValueError) as error:
            await self.write_event(Error(text=f"malformed event: {error}", code="event").event())
        return False

    async def disconnect(self) -> None:
        """Forget the connection."""
        self._door.connections -= 1

    async def _handle(self, event: Event) -> bool:
        if Describe.is_type(event.type):
            await self.write_event(_info(self._recognizer).event())
        elif Transcribe.is_type(event.type):
            language = Transcribe.from_event(event).language
            if language is not None and not language.lower().startswith("en"):
                raise AsrRuntimeError(f"the model knows English only, not {language!r}")
        elif AudioStart.is_type(event.type):
            if self._door.connections > self._settings.streams:
                raise AsrRuntimeError("too many streams are open; try again")
            start = AudioStart.from_event(event)
            if start.width not in _WIDTHS or start.channels < 1:
                raise AsrRuntimeError(f"{start.width} bytes a sample are not supported; give 2")
            self._stream = self._recognizer.stream(start.rate)
            self._texts, self._seconds = [], 0.0
        elif AudioChunk.is_type(event.type) and self._stream is not None:
            await self._feed(AudioChunk.from_event(event))
        elif AudioStop.is_type(event.type):
            await self._answer()
        return True

    async def _feed(self, chunk: AudioChunk) -> None:
        assert self._stream is not None
        samples = np.frombuffer(chunk.audio, _WIDTHS[chunk.width])
        samples = samples.reshape(-1, chunk.channels)
        self._seconds += len(samples) / chunk.rate
        if self._seconds > self._settings.max_seconds:
            raise AsrRuntimeError("the audio is too long; send it in parts")
        await self._run(partial(self._stream.feed, samples))

    async def _answer(self) -> None:
        if self._stream is not None:
            await self._run(self._stream.finish)
        await self.write_event(Transcript(text=" ".join(self._texts), language="en").event())
        self._stream, self._texts = None, []

    async def _run(self, function: Callable[[], Iterable[StreamResult]]) -> None:
        with self._workers.live():
            results = await self._workers.run(lambda: list(function()))
        self._texts += [result.text for result in results if result.is_final and result.text]


def _info(recognizer: Recognizer) -> Info:
    common: dict[str, Any] = {
        "attribution": _ATTRIBUTION,
        "installed": True,
        "version": __version__,
    }
    name = recognizer.model_path.stem
    model = AsrModel(name=name, description="English", languages=["en"], **common)
    program = AsrProgram(
        name="asr-serve", description="English speech to text", models=[model], **common
    )
    return Info(asr=[program])
