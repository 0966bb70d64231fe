"""What a server answers when it cannot do what was asked, as OpenAI's clients read it."""

from __future__ import annotations

from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from asr_runtime.errors import AsrRuntimeError, AudioContentError, AudioFileError

CLOSED_BY_CLIENT = 499  # nginx's number; nobody is there to read it, but the log has it


class RequestError(Exception):
    """A request that is refused.

    Attributes:
        status: The HTTP status.
        message: One line that says what is wrong and what to do.
        parameter: The request's field that it is about, if any.
        retry_after: Seconds after which to try again, if that may help.
    """

    def __init__(
        self,
        status: int,
        message: str,
        parameter: str | None = None,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.parameter = parameter
        self.retry_after = retry_after


def of_runtime(error: AsrRuntimeError) -> RequestError:
    """The refusal for an error of the runtime; names of files here are no concern of the client."""
    if isinstance(error, (AudioFileError, AudioContentError)):
        return RequestError(422, error.problem, "file")
    return RequestError(400, error.problem)


def answer(error: RequestError) -> JSONResponse:
    """The refusal as JSON."""
    kind = "invalid_request_error" if error.status < 500 else "server_error"
    fields: dict[str, Any] = {
        "message": error.message,
        "type": kind,
        "param": error.parameter,
        "code": None,
    }
    headers = {} if error.retry_after is None else {"Retry-After": str(error.retry_after)}
    if error.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if error.status in (408, 413):
        # What the client still sends is not read.
        headers["Connection"] = "close"
    return JSONResponse({"error": fields}, error.status, headers)


async def on_request_error(_: Request, error: Exception) -> JSONResponse:
    """Answer a `RequestError`."""
    assert isinstance(error, RequestError)
    return answer(error)


async def on_invalid(_: Request, error: Exception) -> JSONResponse:
    """Answer a request whose fields are missing or of another kind."""
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    field = str(first["loc"][-1])
    return answer(RequestError(400, f"{field}: {first['msg'].lower()}", field))


async def on_http_error(_: Request, error: Exception) -> JSONResponse:
    """Answer what the framework refuses: unknown paths and methods, broken multipart bodies."""
    assert isinstance(error, HTTPException)
    return answer(RequestError(error.status_code, str(error.detail)))
