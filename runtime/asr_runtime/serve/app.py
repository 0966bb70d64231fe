"""The HTTP application: OpenAI's transcription endpoint, live streams, health and counters."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import FastAPI, File, Form, Request, Response, UploadFile, WebSocket
from fastapi.exceptions import RequestValidationError
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import JSONResponse, PlainTextResponse, StreamingResponse
from starlette.exceptions import HTTPException

from asr_runtime import __version__
from asr_runtime.decoding.alternatives import checked_alternatives
from asr_runtime.errors import DecoderError
from asr_runtime.recognizer import Recognizer
from asr_runtime.serve import errors, live, metrics
from asr_runtime.serve.errors import RequestError
from asr_runtime.serve.guards import Guards
from asr_runtime.serve.hotwords import MAX_HOTWORDS, HotwordRecognizers, listed
from asr_runtime.serve.prompt import prompt_hotwords
from asr_runtime.serve.responses import (
    MEDIA_TYPES,
    ResponseFormat,
    as_events,
    as_json,
    as_text,
    as_verbose_json,
)
from asr_runtime.serve.settings import ServerSettings
from asr_runtime.serve.transcriptions import Transcriptions
from asr_runtime.serve.workers import Workers
from asr_runtime.transcript import Transcript

#: Clients that were written for OpenAI name its models; they mean the one that is here.
_KNOWN_MODELS = ("whisper-1", "gpt-4o-transcribe", "gpt-4o-mini-transcribe")
_GRANULARITIES = {"segment", "word"}
_ENGLISH = {"en", "eng", "english"}


def create_app(
    recognizer: Recognizer,
    settings: ServerSettings | None = None,
    workers: Workers | None = None,
) -> FastAPI:
    """The application of one recogniser.

    Args:
        recognizer: What transcribes; one model in memory for all requests.
        settings: Limits, and who may use it.
        workers: Threads that compute, which the application ends; None for its own.
    """
    settings = settings or ServerSettings()
    workers = workers or Workers(settings.workers)
    counters = metrics.Metrics()
    recognizers = HotwordRecognizers(recognizer, settings.hotwords)
    transcriptions = Transcriptions(recognizers, workers, settings, counters)
    streams = live.Streams(recognizers, workers, settings, counters)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        transcriptions.close()
        streams.close()
        await asyncio.to_thread(workers.close)

    app = FastAPI(
        title="asr-serve",
        version=__version__,
        lifespan=lifespan,
        docs_url=None,  # its page would come from elsewhere
        redoc_url=None,
        exception_handlers={
            RequestError: errors.on_request_error,
            RequestValidationError: errors.on_invalid,
            HTTPException: errors.on_http_error,
        },
    )
    if settings.origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(settings.origins),
            allow_methods=["GET", "POST"],
            allow_headers=["Authorization", "Content-Type"],
        )
    app.add_middleware(Guards, settings=settings, metrics=counters)
    name = recognizer.model_path.stem

    @app.get("/healthz")
    def healthz() -> Response:
        return PlainTextResponse("stopping\n" if transcriptions.closing else "ok\n")

    @app.get("/metrics")
    def show_metrics() -> Response:
        return Response(counters.exposition(), media_type=metrics.CONTENT_TYPE)

    @app.get("/v1/models")
    def models() -> dict[str, Any]:
        model = {"id": name, "object": "model", "created": 0, "owned_by": "asr-export"}
        return {"object": "list", "data": [model]}

    @app.post("/v1/audio/transcriptions", response_model=None)
    async def transcribe(
        request: Request,
        file: Annotated[UploadFile, File()],
        model: Annotated[str, Form()] = name,
        language: Annotated[str, Form()] = "en",
        prompt: Annotated[str, Form()] = "",
        response_format: Annotated[str, Form()] = "json",
        temperature: Annotated[float, Form()] = 0.0,
        stream: Annotated[bool, Form()] = False,
        granularities: Annotated[list[str] | None, Form(alias="timestamp_granularities[]")] = None,
        hotwords: Annotated[list[str] | None, Form()] = None,
        hotword: Annotated[list[str] | None, Form()] = None,
        bracketed: Annotated[list[str] | None, Form(alias="hotword[]")] = None,
        alternatives: Annotated[int, Form()] = 1,
    ) -> Response:
        form = _check_fields(model, name, language, response_format, stream)
        chosen = _granularities(granularities, form)
        names = listed(hotwords or (), [*(hotword or ()), *(bracketed or ())])
        names = [*names, *_prompted(prompt, recognizer)]
        _check_alternatives(alternatives, form, chosen)
        segments = transcriptions.segments(file.file, names, alternatives)
        if stream:
            # The first segment decides between an error's status and a stream.
            first = await anext(segments, None)
            events = as_events(_chained(first, segments))
            return StreamingResponse(events, media_type="text/event-stream")
        done = await _while_connected(request, segments)
        if form in MEDIA_TYPES:
            return Response(as_text(done, form), media_type=MEDIA_TYPES[form])
        if form is ResponseFormat.verbose_json:
            return JSONResponse(as_verbose_json(done, chosen))
        return JSONResponse(as_json(done))

    @app.websocket("/v1/audio/stream")
    async def stream_audio(socket: WebSocket) -> None:
        await streams.serve(socket)

    if settings.web is not None:
        from asr_runtime.serve.page import Page

        app.mount("/", Page(settings.web))
    return app


def _check_fields(
    model: str, name: str, language: str, response_format: str, stream: bool
) -> ResponseFormat:
    """Refuse what would be ignored otherwise."""
    if model != name and model not in _KNOWN_MODELS:
        raise RequestError(404, f"there is no model {model!r}; this server has {name!r}", "model")
    if language.lower().partition("-")[0] not in _ENGLISH:
        raise RequestError(400, f"the model knows English only, not {language!r}", "language")
    try:
        form = ResponseFormat(response_format)
    except ValueError:
        known = ", ".join(item.value for item in ResponseFormat)
        raise RequestError(
            400, f"there is no format {response_format!r}; choose {known}", "response_format"
        ) from None
    if stream and form not in (ResponseFormat.json, ResponseFormat.text):
        raise RequestError(400, "a stream of events is json or text", "response_format")
    return form


def _prompted(prompt: str, recognizer: Recognizer) -> list[str]:
    """The hotwords of a prompt."""
    if not prompt.strip():
        return []
    language_model = recognizer.language_model
    if language_model is None:
        raise RequestError(
            400, "a prompt has no effect without a language model; leave it out", "prompt"
        )
    letters = [text.lower() for text in recognizer.card.vocabulary if len(text) == 1]
    found = prompt_hotwords(prompt, letters, language_model.knows)
    if len(found) > MAX_HOTWORDS:
        raise RequestError(
            400, f"the prompt has {len(found)} names; {MAX_HOTWORDS} are possible", "prompt"
        )
    return found


def _granularities(asked: list[str] | None, form: ResponseFormat) -> set[str]:
    chosen = set(asked or ["segment"])
    if asked and form is not ResponseFormat.verbose_json:
        raise RequestError(
            400, "times come with response_format=verbose_json", "timestamp_granularities[]"
        )
    if not chosen <= _GRANULARITIES:
        raise RequestError(400, "choose word, segment or both", "timestamp_granularities[]")
    return chosen


def _check_alternatives(number: int, form: ResponseFormat, chosen: set[str]) -> None:
    try:
        checked_alternatives(number)
    except DecoderError as error:
        raise RequestError(400, error.problem, "alternatives") from None
    if number > 1 and (form is not ResponseFormat.verbose_json or "segment" not in chosen):
        raise RequestError(
            400,
            "alternatives come with the segments of response_format=verbose_json",
            "alternatives",
        )


async def _while_connected(
    request: Request, segments: AsyncIterator[Transcript]
) -> list[Transcript]:
    """All segments, unless the client goes away before.

    Raises:
        RequestError: It went away.
    """

    async def all_of_them() -> list[Transcript]:
        return [segment async for segment in segments]

    async def gone() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass

    working, leaving = tasks = asyncio.create_task(all_of_them()), asyncio.create_task(gone())
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise RequestError(errors.CLOSED_BY_CLIENT, "the client went away")
        return working.result()
    finally:
        working.cancel()
        leaving.cancel()
        await asyncio.gather(working, leaving, return_exceptions=True)


async def _chained(
    first: Transcript | None, rest: AsyncIterator[Transcript]
) -> AsyncIterator[Transcript]:
    if first is not None:
        yield first
    async for segment in rest:
        yield segment
