"""``asr-serve`` in a process of its own, and what it holds (Linux)."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class ServerProcess:
    """A server on a free port.

    Attributes:
        url: Its address.
        process: The process.
    """

    def __init__(self, *options: str) -> None:
        """Start it, and wait until it listens.

        Args:
            options: Of ``asr-serve``.
        """
        self.process = subprocess.Popen(
            [sys.executable, "-m", "asr_runtime.serve", "--port", "0", *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit("the server did not start; try asr-serve by itself")
        self.url = line.split()[-1]

    @property
    def address(self) -> tuple[str, int]:
        """Host and port."""
        host, port = self.url.removeprefix("http://").split(":")
        return host, int(port)

    def held(self) -> dict[str, int]:
        """Open files and threads."""
        folder = Path(f"/proc/{self.process.pid}")
        return {
            "files": len(os.listdir(folder / "fd")),
            "threads": len(os.listdir(folder / "task")),
        }

    def resident_bytes(self) -> int:
        """Resident memory."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * resource.getpagesize()


@contextmanager
def serving(*options: str) -> Iterator[ServerProcess]:
    """Start a server, and stop it at the end."""
    server = ServerProcess(*options)
    try:
        yield server
    finally:
        server.process.terminate()
        server.process.wait()
