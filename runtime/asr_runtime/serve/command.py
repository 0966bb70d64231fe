"""``asr-serve``: starts the server."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import os
import signal
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from asr_runtime.errors import AsrRuntimeError
from asr_runtime.standard_streams import guarded_streams, one_line

if TYPE_CHECKING:
    import uvicorn

    from asr_runtime.recognizer import Recognizer
    from asr_runtime.serve.settings import ServerSettings

_TOKEN = "ASR_SERVE_TOKEN"
_NEEDS = "asr-serve needs FastAPI and others; pip install 'asr-runtime[cpu,serve]'"
_GRACE_SECONDS = 600  # in which requests that were begun may finish after a stop

app = typer.Typer(pretty_exceptions_enable=False, add_completion=False)


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 chooses a free one.")] = 8000,
    wyoming: Annotated[
        str | None,
        typer.Option(metavar="URI", help="Serve Wyoming as well, at tcp://HOST:PORT."),
    ] = None,
    web: Annotated[
        Path | None, typer.Option(help="Folder of a web page to serve, from asr-export web.")
    ] = None,
    model: Annotated[
        Path | None, typer.Option(help="ONNX file; the one in the package by default.")
    ] = None,
    language_model: Annotated[
        Path | None, typer.Option(help="Language model; the one in the package by default.")
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    hotword: Annotated[
        list[str] | None,
        typer.Option(help="A word or phrase to listen for, such as 'New York:2'; repeatable."),
    ] = None,
    hotwords: Annotated[
        Path | None, typer.Option(help="File of words and phrases to listen for, one a line.")
    ] = None,
    punctuate: Annotated[
        bool, typer.Option("--punctuate", help="Put in signs and capital letters.")
    ] = False,
    numbers: Annotated[
        bool, typer.Option("--numbers", help="Write number words as digits.")
    ] = False,
    workers: Annotated[
        int | None,
        typer.Option(min=1, help="Transcriptions at a time; by default one on each CPU."),
    ] = None,
    queue: Annotated[
        int, typer.Option(min=0, help="Requests that may wait; others get status 429.")
    ] = 64,
    streams: Annotated[int, typer.Option(min=0, help="Live streams at a time.")] = 16,
    max_upload_mb: Annotated[float, typer.Option(min=0.001, help="Longest upload.")] = 200.0,
    max_seconds: Annotated[
        float, typer.Option(min=1, help="Longest recording or stream.")
    ] = 14_400.0,
    timeout: Annotated[
        float, typer.Option(min=0.1, help="Seconds that a transcription may take.")
    ] = 600.0,
    idle: Annotated[
        float, typer.Option(min=0.1, help="Seconds that a client may pause while it sends.")
    ] = 30.0,
    token_file: Annotated[
        Path | None,
        typer.Option(help=f"File with the token that clients must send; or set {_TOKEN}."),
    ] = None,
    cors_origin: Annotated[
        list[str] | None,
        typer.Option(help="Web pages of this origin may call the server; repeatable."),
    ] = None,
) -> None:
    """Transcribe for other programs: OpenAI's HTTP interface, WebSocket, and Wyoming."""
    try:
        from asr_runtime.inference.cpus import usable_cpus
        from asr_runtime.language.hotword import read_hotwords
        from asr_runtime.recognizer import Recognizer
        from asr_runtime.serve.settings import MEGABYTE, ServerSettings
    except ModuleNotFoundError as error:
        raise _missing(error) from None
    phrases = [*(hotword or ()), *(() if hotwords is None else read_hotwords(hotwords))]
    settings = ServerSettings(
        workers=workers or usable_cpus(),
        queue=queue,
        streams=streams,
        max_upload_bytes=int(max_upload_mb * MEGABYTE),
        max_seconds=max_seconds,
        idle_seconds=idle,
        timeout_seconds=timeout,
        token=_token(token_file),
        origins=tuple(cors_origin or ()),
        hotwords=tuple(phrases),
        web=_folder(web),
    )
    if settings.token is None and not _is_loopback(host):
        raise AsrRuntimeError(
            f"--host {host} lets other machines in; give --token-file or set {_TOKEN}"
        )
    # Requests share the CPUs among themselves: a thread each.
    recognizer = Recognizer.load(
        model,
        device=device,
        threads=1,
        language_model=language_model,
        hotwords=phrases,
        punctuate=punctuate,
        numbers=numbers,
    )
    try:
        asyncio.run(_run(recognizer, settings, host, port, wyoming))
    except ModuleNotFoundError as error:
        raise _missing(error) from None


async def _run(
    recognizer: Recognizer, settings: ServerSettings, host: str, port: int, wyoming: str | None
) -> None:
    import uvicorn

    from asr_runtime.serve.app import create_app
    from asr_runtime.serve.silence import close_silent_connections
    from asr_runtime.serve.workers import Workers

    listener = _listen(host, port)
    workers = Workers(settings.workers)
    config = uvicorn.Config(
        create_app(recognizer, settings, workers),
        access_log=False,
        log_level="warning",
        timeout_graceful_shutdown=_GRACE_SECONDS,
        limit_concurrency=settings.workers + settings.queue + settings.streams + 200,
        ws_max_size=1 << 24,
        server_header=False,
    )
    logging.basicConfig(stream=sys.stderr, format="%(message)s")
    logging.getLogger("asr_runtime.serve").setLevel(logging.INFO)
    server = uvicorn.Server(config)
    for number in (signal.SIGINT, signal.SIGTERM):
        # The server stops gracefully at both and then passes them on to whoever was there before.
        signal.signal(number, lambda *_: None)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    sweep = close_silent_connections(server.server_state.connections, settings.idle_seconds)
    tasks = [serving, asyncio.create_task(_announce(server)), asyncio.create_task(sweep)]
    if wyoming is not None:
        from asr_runtime.serve.wyoming_door import WyomingDoor

        tasks.append(asyncio.create_task(WyomingDoor(recognizer, workers, settings).run(wyoming)))
    # Whatever ends first, the server at its stop or one that failed, ends all.
    pending = set(tasks)
    while pending and not serving.done():
        done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    for task in pending:
        task.cancel()


def _listen(host: str, port: int) -> socket.socket:
    """A socket at the address, so that what is wrong with it is known before anything starts."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
        if os.name == "posix":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError as error:
        raise AsrRuntimeError(
            f"cannot listen at {host}:{port} ({error.strerror}); choose another --host or --port"
        ) from None
    return listener


async def _announce(server: uvicorn.Server) -> None:
    """Say where the server listens, on standard output, once it does."""
    while not server.started:
        await asyncio.sleep(0.02)
    for listener in server.servers:
        for bound in listener.sockets:
            host, port = bound.getsockname()[:2]
            print(f"listening at http://{host}:{port}", flush=True)


def _token(file: Path | None) -> str | None:
    if file is None:
        return os.environ.get(_TOKEN) or None
    try:
        token = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise AsrRuntimeError(f"cannot be read: {error}", str(file)) from None
    if not token:
        raise AsrRuntimeError("holds no token; write one into it", str(file))
    return token


def _folder(web: Path | None) -> Path | None:
    if web is not None and not (web / "index.html").is_file():
        raise AsrRuntimeError("holds no index.html; make it with: asr-export web", str(web))
    return web


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _missing(error: ModuleNotFoundError) -> AsrRuntimeError | ModuleNotFoundError:
    wanted = {"fastapi", "uvicorn", "multipart", "python_multipart", "prometheus_client"}
    wanted |= {"starlette", "wyoming", "websockets", "pydantic"}
    return AsrRuntimeError(_NEEDS) if error.name in wanted else error


def main() -> None:
    """Run, and report errors in one line."""
    with guarded_streams("asr-serve", output_matters=False):
        try:
            app()
        except AsrRuntimeError as error:
            print(f"asr-serve: {one_line(str(error))}", file=sys.stderr)
            sys.exit(1)
