"""JSON from a file that may come from a stranger."""

from __future__ import annotations

import json
import re
from typing import Any

MAX_BYTES = 1 << 20
MAX_DEPTH = 16

_STRING = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)


def parse_object(text: str) -> dict[str, Any]:
    """Parse a JSON object that may come from a stranger.

    Args:
        text: At most MAX_BYTES characters and MAX_DEPTH levels.

    Returns:
        The object.

    Raises:
        ValueError: The text is no such object; its text says what is wrong.
    """
    if len(text) > MAX_BYTES:
        raise ValueError(f"longer than {MAX_BYTES} characters")
    # Python's own parser recurses for each level.
    depth = deepest = 0
    for bracket in re.findall(r"[\[\]{}]", _STRING.sub("", text)):
        depth += 1 if bracket in "[{" else -1
        deepest = max(deepest, depth)
    if deepest > MAX_DEPTH:
        raise ValueError(f"nested deeper than {MAX_DEPTH} levels")
    values = json.loads(text)
    if not isinstance(values, dict):
        raise ValueError("not a JSON object")
    return values
