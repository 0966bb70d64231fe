"""Serves a page's folder on this computer alone, to try it out; any web server will do instead."""

from __future__ import annotations

from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from asr_export.errors import ExportError
from asr_export.web.headers import HEADERS


class PageHandler(SimpleHTTPRequestHandler):
    """Sends the files with the headers that the page needs, and keeps quiet about it."""

    extensions_map = {  # noqa: RUF012 - as the base class has it
        **SimpleHTTPRequestHandler.extensions_map,
        ".js": "text/javascript",
        ".mjs": "text/javascript",
        ".wasm": "application/wasm",
        ".webmanifest": "application/manifest+json",
    }
    send_headers = True

    def end_headers(self) -> None:
        """Add the page's headers to those of the answer."""
        if self.send_headers:
            for name, value in HEADERS.items():
                self.send_header(name, value)
        # A page that was made again is to be seen again.
        self.send_header("Cache-Control", "no-cache")
        super().end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Write nothing: a terminal full of file names helps nobody."""


def page_server(folder: Path, port: int) -> ThreadingHTTPServer:
    """A server of a folder on the loopback address; call its ``serve_forever``.

    Args:
        folder: The page's.
        port: 0 for any that is free; ``server_port`` tells which.

    Raises:
        ExportError: The port cannot be had.
    """
    try:
        return ThreadingHTTPServer(("127.0.0.1", port), partial(PageHandler, directory=str(folder)))
    except (OSError, OverflowError) as error:
        raise ExportError(f"port {port} cannot be used ({error}); give another one") from None
