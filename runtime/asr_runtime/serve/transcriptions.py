"""Transcriptions of uploads: a segment at a time, with a bounded number that wait."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Generator, Sequence
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from typing import BinaryIO

from asr_runtime.audio.audio_reader import AudioReader
from asr_runtime.errors import AsrRuntimeError, DecoderError
from asr_runtime.serve.errors import RequestError, of_runtime
from asr_runtime.serve.hotwords import HotwordRecognizers
from asr_runtime.serve.metrics import Metrics
from asr_runtime.serve.settings import ServerSettings
from asr_runtime.serve.workers import Workers
from asr_runtime.transcript import Transcript


class Transcriptions:
    """Takes recordings, transcribes some of them at a time and lets a bounded number wait.

    The next segment is computed when the client has taken the one before, so that a slow client
    holds up nobody. A client that goes away, or waits too long, stops its transcription, so that
    nobody computes for nobody.
    """

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
        self._begun = 0
        self.closing = False

    def check_room(self) -> None:
        """Refuse what would wait too long; also before an upload is read.

        Raises:
            RequestError: The server is stopping (503), or the queue is full (429).
        """
        if self.closing:
            raise RequestError(503, "the server is stopping; ask another one", retry_after=30)
        if self._begun >= self._settings.workers + self._settings.queue:
            raise RequestError(429, "too many requests wait already; try again", retry_after=1)

    async def segments(
        self, audio: BinaryIO, hotwords: Sequence[str] = (), alternatives: int = 1
    ) -> AsyncIterator[Transcript]:
        """Transcribe a file that was uploaded; yields its segments as they are found.

        Args:
            audio: The file.
            hotwords: Those of the request.
            alternatives: How many texts of each segment to find.

        Raises:
            RequestError: The file cannot be transcribed (413, 422), the hotwords cannot be
                recognised or there are no alternatives to find (400), or it has to wait for too
                long (429, 503).
        """
        self.check_room()
        self._begun += 1
        self._metrics.waiting.set(max(0, self._begun - self._settings.workers))
        stop = threading.Event()
        loop = asyncio.get_running_loop()
        steps = self._transcribe(audio, hotwords, alternatives, stop.is_set)
        ticket = self._workers.ticket()
        until = time.monotonic() + self._settings.timeout_seconds
        step: Future[Transcript | None] | None = None

        def end(_: object) -> None:
            steps.close()
            with suppress(RuntimeError):  # the server may have gone meanwhile
                loop.call_soon_threadsafe(self._ended)

        try:
            while True:
                step = self._workers.submit(partial(next, steps, None), ticket)
                left = max(0.0, until - time.monotonic())
                segment = await asyncio.wait_for(asyncio.wrap_future(step), left)
                if segment is None:
                    break
                yield segment
        except asyncio.TimeoutError:
            raise RequestError(
                503, "the transcription took too long; send a shorter recording"
            ) from None
        except AsrRuntimeError as error:
            raise of_runtime(error) from None
        finally:
            stop.set()
            # What still runs ends at its next look at the clock, in its own thread.
            if step is None:
                end(None)
            else:
                step.add_done_callback(end)

    def _ended(self) -> None:
        self._begun -= 1
        self._metrics.waiting.set(max(0, self._begun - self._settings.workers))

    def _transcribe(
        self,
        audio: BinaryIO,
        hotwords: Sequence[str],
        alternatives: int,
        stopped: Callable[[], bool],
    ) -> Generator[Transcript, None, None]:
        """Yield segments; each step is a worker's job."""
        limit = self._settings.max_seconds
        computing = 0.0
        duration = 0.0
        begin = time.perf_counter()
        recognizer = self._recognizers.get(hotwords)
        if alternatives > 1:
            try:
                recognizer = recognizer.with_alternatives(alternatives)
            except DecoderError as error:
                raise RequestError(400, error.problem, "alternatives") from None
        with AudioReader(audio) as reader:
            if reader.duration is not None:
                _check_seconds(reader.duration, limit)

            def progress(seconds: float) -> None:
                _check_seconds(seconds, limit)
                if stopped():
                    raise _StoppedError
                self._workers.give_way()

            try:
                for segment in recognizer.segments(reader, progress=progress):
                    duration = segment.start + segment.duration
                    computing += time.perf_counter() - begin
                    yield segment
                    begin = time.perf_counter()
            except _StoppedError:
                return
        computing += time.perf_counter() - begin
        self._metrics.audio_seconds.inc(duration)
        self._metrics.computing_seconds.inc(computing)

    def close(self) -> None:
        """Take nothing more."""
        self.closing = True


class _StoppedError(Exception):
    """Nobody waits for the transcript any more."""


def _check_seconds(seconds: float, limit: float) -> None:
    if seconds > limit:
        raise RequestError(
            413, f"the recording is longer than {limit:g} s; send it in parts", "file"
        )
