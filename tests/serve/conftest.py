"""A server process, and the recogniser that it should agree with."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from asr_runtime import Recognizer

for needed in ("fastapi", "uvicorn", "multipart", "prometheus_client", "wyoming", "websockets"):
    pytest.importorskip(needed, reason=f"asr-serve needs {needed}")

CLIP = Path(__file__).parents[2] / "runtime" / "demo" / "demo.flac"


class Server:
    """``asr-serve`` in a process of its own, on a free port."""

    def __init__(self, *arguments: str, token: str | None = None) -> None:
        environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
        if token is not None:
            environment["ASR_SERVE_TOKEN"] = token
        self.process = subprocess.Popen(
            [sys.executable, "-m", "asr_runtime.serve", "--port", "0", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
        )
        self.log: list[str] = []
        assert self.process.stderr is not None
        # Read all the time, because a full pipe would stop the server.
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, self.log
        self.url = line.split()[-1]
        self.address = self.url.removeprefix("http://")

    def _read(self) -> None:
        assert self.process.stderr is not None
        self.log.extend(self.process.stderr)

    def events(self) -> list[dict[str, object]]:
        """The log so far."""
        return [json.loads(line) for line in self.log]

    def stop(self) -> int:
        """Ask it to stop, as a service manager does, and wait."""
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(60)
        self._reader.join(10)
        for pipe in (self.process.stdout, self.process.stderr):
            assert pipe is not None
            pipe.close()
        return status


@pytest.fixture(scope="session")
def start() -> Iterator[Callable[..., Server]]:
    """Start a server with some options; it is stopped at the end."""
    servers: list[Server] = []

    def begin(*arguments: str, token: str | None = None) -> Server:
        servers.append(Server(*arguments, token=token))
        return servers[-1]

    yield begin
    for server in servers:
        if server.process.poll() is None:
            server.process.kill()
            server.process.wait()


@pytest.fixture(scope="session")
def server(start: Callable[..., Server]) -> Server:
    """A server with small limits, for the tests that change nothing in it."""
    return start("--max-upload-mb", "3", "--max-seconds", "60", "--workers", "2")


@pytest.fixture(scope="session")
def spoken() -> str:
    """What `Recognizer` reads in the clip."""
    return Recognizer.load(device="cpu").transcribe(CLIP).text
