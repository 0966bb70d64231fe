"""Connections whose clients never finish asking, or never read the answer, are closed.

The limits of uploads and streams begin with a request. Before it, and while an answer waits to be
read, the HTTP server itself has no limit, so that a few hundred sockets could occupy it for ever.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import Any


async def close_silent_connections(connections: Collection[Any], idle_seconds: float) -> None:
    """Look at all connections again and again, until cancelled.

    Args:
        connections: Of uvicorn; those of WebSockets, which have their own limits, are left alone.
        idle_seconds: Between two looks. What has not moved in between is closed.
    """
    seen: dict[Any, tuple[Any, int]] = {}
    while True:
        await asyncio.sleep(idle_seconds)
        now: dict[Any, tuple[Any, int]] = {}
        for connection in tuple(connections):
            if not hasattr(connection, "cycle") or connection.transport is None:
                continue
            request, transport = connection.cycle, connection.transport
            unread = transport.get_write_buffer_size()
            state = (request, unread)
            unasked = request is None or request.response_complete
            if (unasked or unread) and seen.get(connection) == state:
                transport.abort()
            else:
                now[connection] = state
        seen = now
