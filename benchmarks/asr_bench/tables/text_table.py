"""Tables of text: aligned for a terminal, and in Markdown."""

from __future__ import annotations

from collections.abc import Sequence

Texts = Sequence[str]


def aligned(table: Sequence[Texts], text_columns: int) -> list[str]:
    """Lines of a table whose first row is the header; after ``text_columns`` come numbers."""
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = []
    for texts in table:
        cells = [
            text.ljust(width) if index < text_columns else text.rjust(width)
            for index, (text, width) in enumerate(zip(texts, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return lines


def markdown_lines(table: Sequence[Texts], text_columns: int) -> list[str]:
    """As ``aligned``; texts are shown as they are, whatever they mean in Markdown or HTML."""
    header, *rows = [[escaped(text) for text in texts] for texts in table]
    rule = [":--" if index < text_columns else "--:" for index in range(len(header))]
    return ["| " + " | ".join(texts) + " |" for texts in (header, rule, *rows)]


def escaped(text: str) -> str:
    """In one line of Markdown, inside a table or not."""
    for special, shown in (("&", "&amp;"), ("<", "&lt;"), ("|", "\\|")):
        text = text.replace(special, shown)
    return " ".join(text.split())
