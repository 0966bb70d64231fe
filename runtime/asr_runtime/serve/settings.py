"""What a server may do, and how much of it at a time."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

MEGABYTE = 1_000_000


@dataclass(frozen=True)
class ServerSettings:
    """Limits of a server, and who may use it.

    Attributes:
        workers: Transcriptions that are computed at the same time.
        queue: Transcriptions that may wait for a worker; one more is refused with status 429.
        streams: Live streams at the same time.
        max_upload_bytes: The longest request body; a longer one is refused with status 413.
        max_seconds: The longest recording; a longer one is refused with status 413.
        idle_seconds: How long a client may pause within an upload, or a stream's client between two
            messages, before it is cut off (status 408).
        timeout_seconds: How long a transcription may take, with its wait; then status 503. How long
            an upload may take; then status 408.
        token: What clients have to send as ``Authorization: Bearer TOKEN``; None lets anyone in.
        origins: Web pages of these origins may call the server from a browser.
        hotwords: Hotwords of all requests, which the recogniser has.
        web: Folder of a web page to serve at ``/``, as ``asr-export web`` makes it.
    """

    workers: int = 1
    queue: int = 64
    streams: int = 16
    max_upload_bytes: int = 200 * MEGABYTE
    max_seconds: float = 4 * 3600.0
    idle_seconds: float = 30.0
    timeout_seconds: float = 600.0
    token: str | None = None
    origins: tuple[str, ...] = ()
    hotwords: tuple[str, ...] = ()
    web: Path | None = None
