"""One spelling for what was said and what every engine wrote, before words are counted."""

from __future__ import annotations

import importlib.metadata
import re
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Normalizer:
    """A function for references and hypotheses alike, and its name for the report."""

    name: str
    apply: Callable[[str], str]


#: For presets that compare a model with itself: its texts and the manifest's have one spelling.
AS_WRITTEN = Normalizer("nothing", str)


def load_normalizer() -> Normalizer:
    """Return Whisper's English normalizer if whisper-normalizer is installed, else a plain one."""
    try:
        from whisper_normalizer.english import EnglishTextNormalizer
    except ImportError:
        return Normalizer("plain: lower case, a-z, 0-9 and ' only", plain)
    version = importlib.metadata.version("whisper-normalizer")
    return Normalizer(f"whisper-normalizer {version}, English", EnglishTextNormalizer())


def plain(text: str) -> str:
    """Lower the case, and make everything but letters, digits and apostrophes one space."""
    return " ".join(
        re.sub(
            r"[^a-z0-9']+", " ", text.lower().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
        ).split()
    )
