"""A bounded number of transcriptions at a time, in threads that share one model."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, BinaryIO

from asr_runtime.audio.audio_reader import AudioReader
from asr_runtime.errors import AsrRuntimeError
from asr_runtime.recognizer import Recognizer
from asr_runtime.serve.errors import RequestError, of_runtime
from asr_runtime.serve.metrics import Metrics
from asr_runtime.serve.settings import ServerSettings
from asr_runtime.transcript import Transcript

_SEGMENTS_AHEAD = 16  # that a slow client of a stream of events has not read yet


class Transcriptions:
    """Takes recordings, transcribes some of them at a time and lets a bounded number wait.

    Segments come out as they are found. A client that goes away, or waits too long, stops its
    transcription at the next segment, so that nobody computes for nobody.
    """

    def __init__(self, recognizer: Recognizer, settings: ServerSettings, metrics: Metrics) -> None:
        self._recognizer = recognizer
        self._settings = settings
        self._metrics = metrics
        self._pool = ThreadPoolExecutor(settings.workers, thread_name_prefix="transcription")
        self._begun = 0
        self.closing = False

    @property
    def recognizer(self) -> Recognizer:
        """What transcribes."""
        return self._recognizer

    def check_room(self) -> None:
        """Refuse what would wait too long; also before an upload is read.

        Raises:
            RequestError: The server is stopping (503), or the queue is full (429).
        """
        if self.closing:
            raise RequestError(503, "the server is stopping; ask another one", retry_after=30)
        if self._begun >= self._settings.workers + self._settings.queue:
            raise RequestError(429, "too many requests wait already; try again", retry_after=1)

    async def segments(self, audio: BinaryIO) -> AsyncIterator[Transcript]:
        """Transcribe a file that was uploaded; yields its segments as they are found.

        Raises:
            RequestError: The file cannot be transcribed (413, 422), or not now (429, 503).
        """
        self.check_room()
        self._begun += 1
        self._metrics.waiting.set(max(0, self._begun - self._settings.workers))
        stop = threading.Event()
        loop = asyncio.get_running_loop()
        results: asyncio.Queue[Any] = asyncio.Queue()
        room = threading.Semaphore(_SEGMENTS_AHEAD)

        def put(item: object) -> None:
            loop.call_soon_threadsafe(results.put_nowait, item)

        def work() -> None:
            try:
                for segment in self._transcribe(audio, stop.is_set):
                    while not room.acquire(timeout=0.2):
                        if stop.is_set():
                            return
                    put(segment)
                put(None)
            except BaseException as error:
                put(error)
            finally:
                loop.call_soon_threadsafe(self._ended)

        future = loop.run_in_executor(self._pool, work)
        until = time.monotonic() + self._settings.timeout_seconds
        try:
            while True:
                try:
                    left = max(0.0, until - time.monotonic())
                    item = await asyncio.wait_for(results.get(), left)
                except asyncio.TimeoutError:
                    raise RequestError(
                        503, "the transcription took too long; send a shorter recording"
                    ) from None
                if item is None:
                    break
                if isinstance(item, AsrRuntimeError):
                    raise of_runtime(item)
                if isinstance(item, BaseException):
                    raise item
                room.release()
                yield item
        finally:
            stop.set()
            if future.cancel():  # it waited still
                self._ended()

    def _ended(self) -> None:
        self._begun -= 1
        self._metrics.waiting.set(max(0, self._begun - self._settings.workers))

    def _transcribe(self, audio: BinaryIO, stopped: Callable[[], bool]) -> Iterator[Transcript]:
        limit = self._settings.max_seconds
        begin = time.perf_counter()
        with AudioReader(audio) as reader:
            if reader.duration is not None:
                _check_seconds(reader.duration, limit)

            def progress(seconds: float) -> None:
                _check_seconds(seconds, limit)
                if stopped():
                    raise _StoppedError

            duration = 0.0
            try:
                for segment in self._recognizer.segments(reader, progress=progress):
                    duration = segment.start + segment.duration
                    yield segment
                    if stopped():
                        return
            except _StoppedError:
                return
        self._metrics.audio_seconds.inc(duration)
        self._metrics.computing_seconds.inc(time.perf_counter() - begin)

    def close(self) -> None:
        """Finish what was begun, and take nothing more."""
        self.closing = True
        self._pool.shutdown(wait=True)


class _StoppedError(Exception):
    """Nobody waits for the transcript any more."""


def _check_seconds(seconds: float, limit: float) -> None:
    if seconds > limit:
        raise RequestError(
            413, f"the recording is longer than {limit:g} s; send it in parts", "file"
        )
