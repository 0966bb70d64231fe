"""Around every HTTP request: the token, the limits of an upload, the log and the counters.

The upload's limits are kept while it arrives, before anything parses it: its size, and how long its
client may pause.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
import time
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from asr_runtime.serve.errors import CLOSED_BY_CLIENT, RequestError, answer
from asr_runtime.serve.metrics import Metrics
from asr_runtime.serve.settings import ServerSettings

_LOG = logging.getLogger("asr_runtime.serve")
#: Paths that need no token: what a load balancer asks, and a web page, which asks for it itself.
_OPEN = ("/healthz",)
_PATHS = ("/v1/audio/transcriptions", "/v1/audio/stream", "/v1/models", "/healthz", "/metrics")


class Guards:
    """ASGI middleware; one for all requests."""

    def __init__(self, app: ASGIApp, settings: ServerSettings, metrics: Metrics) -> None:
        self._app = app
        self._settings = settings
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or refuse it."""
        if scope["type"] == "websocket":
            if not self._allowed(scope):
                await receive()
                await send({"type": "websocket.close", "code": 1008, "reason": "wrong token"})
                return
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        guarded = _Request(self._settings, receive, send)
        begin = time.monotonic()
        try:
            if not self._allowed(scope):
                raise RequestError(401, "send the server's token: Authorization: Bearer TOKEN")
            guarded.check_length(scope)
            await self._app(scope, guarded.receive, guarded.send)
            if guarded.refusal is not None:
                raise guarded.refusal
        except RequestError as error:
            if not guarded.status:
                guarded.refusal = None
                await answer(error)(scope, receive, guarded.send)
        finally:
            self._record(scope, guarded, time.monotonic() - begin)

    def _allowed(self, scope: Scope) -> bool:
        token, path = self._settings.token, str(scope["path"])
        if token is None or path in _OPEN or not path.startswith(("/v1/", "/metrics")):
            return True
        headers = dict(scope["headers"])
        if headers.get(b"origin") and scope.get("method") == "OPTIONS":
            return True  # a browser asks first, without the token, whether it may ask
        scheme, _, sent = headers.get(b"authorization", b"").partition(b" ")
        # The time that this takes does not tell how much of it was right.
        return scheme.lower() == b"bearer" and hmac.compare_digest(sent, token.encode())

    def _record(self, scope: Scope, request: _Request, seconds: float) -> None:
        path = scope["path"] if scope["path"] in _PATHS else "other"
        status = request.status or CLOSED_BY_CLIENT
        self._metrics.requests.labels(path, str(status)).inc()
        self._metrics.seconds.labels(path).observe(seconds)
        log(
            "request",
            method=scope["method"],
            path=path,
            status=status,
            bytes=request.received,
            seconds=round(seconds, 4),
        )


class _Request:
    """One request: counts what arrives, and waits for it no longer than allowed."""

    def __init__(self, settings: ServerSettings, receive: Receive, send: Send) -> None:
        self._settings = settings
        self._receive, self._send = receive, send
        self._begin = time.monotonic()
        self._complete = False
        self.received = 0
        self.status = 0
        self.refusal: RequestError | None = None

    def check_length(self, scope: Scope) -> None:
        """Refuse a body that says itself that it is too long."""
        stated = dict(scope["headers"]).get(b"content-length", b"0")
        if stated.isdigit() and int(stated) > self._settings.max_upload_bytes:
            raise self._too_long()

    async def receive(self) -> Message:
        """The next part of the body."""
        if self._complete:
            return await self._receive()  # whether the client goes away; that may take its time
        idle, whole = self._settings.idle_seconds, self._settings.timeout_seconds
        left = self._begin + whole - time.monotonic()
        try:
            message = await asyncio.wait_for(self._receive(), max(0.0, min(idle, left)))
        except asyncio.TimeoutError:
            problem = f"nothing arrived for {idle:g} s; send it again"
            if left < idle:
                problem = f"the upload took longer than {whole:g} s; send less at a time"
            self.refusal = RequestError(408, problem)
            raise self.refusal from None
        if message["type"] == "http.request":
            self.received += len(message.get("body", b""))
            self._complete = not message.get("more_body", False)
            if self.received > self._settings.max_upload_bytes:
                self.refusal = self._too_long()
                raise self.refusal
        return message

    async def send(self, message: Message) -> None:
        """Pass a part of the answer on.

        The framework calls whatever breaks off a body malformed; its own answer is then dropped.
        """
        if self.refusal is not None and not self.status:
            return
        if message["type"] == "http.response.start":
            self.status = message["status"]
        await self._send(message)

    def _too_long(self) -> RequestError:
        limit = self._settings.max_upload_bytes
        return RequestError(413, f"the upload is longer than {limit:,} bytes; send less", "file")


def log(event: str, **fields: Any) -> None:
    """Write a line of JSON to the log. Neither audio nor text nor names of files belong in it."""
    _LOG.info(json.dumps({"event": event, **fields}))
