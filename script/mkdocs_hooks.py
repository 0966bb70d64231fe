"""Hooks of mkdocs: README.md is the site's first page, and links out of docs/ name their file."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[1]
_OUTSIDE = re.compile(r"\[([^\]]+)\]\(\.\./([^)]+)\)")
#: Pages beside README.md that the site has as well.
_PAGES = {"ARCHITECTURE.md": "architecture.md", "CONTRIBUTING.md": "contributing.md"}


def on_files(files: Files, config: Any) -> Files:
    """Add the repository's own pages; their links are relative to its root."""
    for name, page in {"README.md": "index.md", **_PAGES}.items():
        text = (ROOT / name).read_text(encoding="utf-8")
        text = re.sub(r"\]\((?!https?:|#|docs/)([^)]+)\)", _from_root, text)
        files.append(File.generated(config, page, content=text.replace("](docs/", "](")))
    return files


def on_page_markdown(markdown: str, **_: Any) -> str:
    """The site holds docs/ alone: a link to another file becomes its text and the file's path."""
    return _OUTSIDE.sub(r"\1 (`\2`)", markdown)


def _from_root(link: re.Match[str]) -> str:
    target, _, anchor = link[1].partition("#")
    if target in _PAGES:
        return f"]({_PAGES[target]}{'#' if anchor else ''}{anchor})"
    return f"](../{link[1]})"
