"""The web page of ``asr-export web``, with the headers that its folder asks servers for."""

from __future__ import annotations

import mimetypes
from pathlib import Path

from fastapi.staticfiles import StaticFiles
from starlette.responses import Response
from starlette.types import Scope

_KINDS = {
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
}


class Page(StaticFiles):
    """The files of a folder.

    With its headers nothing leaves the page's origin, and several threads may share memory.
    """

    def __init__(self, folder: Path) -> None:
        """Read the headers.

        Args:
            folder: The page's; its file ``_headers`` may be missing.
        """
        # What the system says of these differs, and a browser runs no script of another type.
        for ending, kind in _KINDS.items():
            mimetypes.add_type(kind, ending)
        super().__init__(directory=folder, html=True)
        self._headers = _read_headers(folder / "_headers")

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Return a file."""
        response = await super().get_response(path, scope)
        response.headers.update(self._headers)
        # A page that was made again is to be seen again.
        response.headers["Cache-Control"] = "no-cache"
        return response


def _read_headers(file: Path) -> dict[str, str]:
    """Return the headers of all files: after a line with a path, lines of names and values."""
    headers: dict[str, str] = {}
    lines = file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
    for line in lines:
        name, colon, value = line.strip().partition(":")
        if line[:1].isspace() and colon:
            headers[name] = value.strip()
    return headers
