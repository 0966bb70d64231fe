"""Hotwords of single requests and streams, beside those that the server was started with."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Sequence

from asr_runtime.errors import DecoderError
from asr_runtime.recognizer import Recognizer
from asr_runtime.serve.errors import RequestError

MAX_HOTWORDS = 1000
"""Of a request."""
_KEPT = 4


class HotwordRecognizers:
    """Recognisers with the hotwords of requests; the last few are kept, as clients repeat theirs.

    Attributes:
        plain: The one with the server's hotwords alone.
    """

    def __init__(self, recognizer: Recognizer, hotwords: Sequence[str] = ()) -> None:
        """Take what is common to all.

        Args:
            recognizer: One that has the server's hotwords.
            hotwords: These hotwords.
        """
        self.plain = recognizer
        self._common = tuple(hotwords)
        self._kept: OrderedDict[tuple[str, ...], Recognizer] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, hotwords: Sequence[str]) -> Recognizer:
        """Return a recogniser with further hotwords; it takes a tenth of a second to make one.

        Args:
            hotwords: As `parse_hotword` reads them.

        Raises:
            RequestError: A hotword cannot be recognised, or the server decodes greedily (400).
        """
        key = tuple(dict.fromkeys(hotwords))
        if not key:
            return self.plain
        with self._lock:
            known = self._kept.get(key)
            if known is not None:
                self._kept.move_to_end(key)
                return known
            try:
                made = self.plain.with_hotwords((*self._common, *key))
            except DecoderError as error:
                raise RequestError(400, error.problem, "hotwords") from None
            self._kept[key] = made
            if len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
            return made


def listed(lists: Iterable[str], entries: Iterable[str]) -> list[str]:
    """Return the hotwords of a request's fields.

    Args:
        lists: Values of ``hotwords``: some with commas between them.
        entries: Values of ``hotword``: one each, whose pronunciation may have commas.

    Raises:
        RequestError: They are too many (400).
    """
    found = [part.strip() for text in lists for part in text.split(",")]
    found += [entry.strip() for entry in entries]
    found = [hotword for hotword in found if hotword]
    if len(found) > MAX_HOTWORDS:
        raise RequestError(
            400, f"{len(found)} hotwords are too many; give {MAX_HOTWORDS} at most", "hotwords"
        )
    return found
