"""Tables that a terminal, Markdown and HTML can show."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from asr_bench.reporting.figures import Estimate

Texts = Sequence[str]

#: Column that says why a row should not be trusted; it stays even if it is empty.
RELIABILITY = "reliability"


@dataclass(frozen=True)
class Cell:
    """A text, and the value to sort by: a number, if a column has any."""

    text: str
    order: float | str | None


#: One row, as pairs of a column's name and its cell; a name may come twice.
Row = Sequence[tuple[str, Cell]]


@dataclass(frozen=True)
class Table:
    """Rows of cells under a header.

    Attributes:
        name: Title.
        header: Names of the columns.
        text_columns: How many columns, from the left, are text; the rest are numbers, but for the
            one on reliability.
        rows: Cells of each row, as many as the header has names.
        notes: What a reader has to know, one line each.
    """

    name: str
    header: tuple[str, ...]
    text_columns: int
    rows: tuple[tuple[Cell, ...], ...]
    notes: tuple[str, ...] = ()

    def texts(self) -> list[Texts]:
        """Return the header and all rows as texts."""
        return [self.header, *([cell.text for cell in row] for row in self.rows)]

    def column(self, name: str) -> list[Cell]:
        """Return the cells under the first column of that name."""
        index = self.header.index(name)
        return [row[index] for row in self.rows]

    def markdown(self) -> list[str]:
        """Return the lines of the table and its notes in Markdown."""
        lines = [*markdown_lines(self.texts(), self.text_columns), ""]
        return [*lines, *(f"- {escaped(note)}" for note in self.notes), *[""][: len(self.notes)]]

    def plain(self) -> list[str]:
        """Return the lines of the table and its notes for a terminal."""
        return [*aligned(self.texts(), self.text_columns), "", *self.notes]


def table(name: str, text_columns: int, rows: Iterable[Row], notes: Iterable[str] = ()) -> Table:
    """Make a table, without the columns that are empty in every row.

    Args:
        name: Title.
        text_columns: How many columns, from the left, are text.
        rows: Rows with the same columns.
        notes: What a reader has to know.
    """
    all_rows = [list(row) for row in rows]
    header = [column for column, _ in all_rows[0]] if all_rows else []
    kept = [
        index
        for index, column in enumerate(header)
        if column == RELIABILITY or any(row[index][1].text for row in all_rows)
    ]
    return Table(
        name,
        tuple(header[index] for index in kept),
        text_columns,
        tuple(tuple(row[index][1] for index in kept) for row in all_rows),
        tuple(notes),
    )


def text(column: str, value: str) -> tuple[str, Cell]:
    """Make a cell that is sorted as it reads."""
    return column, Cell(value, value)


def number(
    column: str, value: float | None, form: str = ".3g", factor: float = 1
) -> tuple[str, Cell]:
    """Make a cell of ``value`` times ``factor``, formatted; an empty one of None."""
    if value is None:
        return column, Cell("", None)
    return column, Cell(f"{factor * value:{form}}", value)


def estimate(
    column: str, value: Estimate | None, form: str = ".3g", factor: float = 1
) -> tuple[tuple[str, Cell], tuple[str, Cell]]:
    """Make two cells: the figure, and its 95 % interval, sorted by how wide it is."""
    if value is None:
        return number(column, None), ("95 %", Cell("", None))
    low, high = factor * value.interval.low, factor * value.interval.high
    width = value.interval.high - value.interval.low
    return number(column, value.value, form, factor), (
        "95 %",
        Cell(f"{low:{form}} to {high:{form}}", width),
    )


def reliability(warnings: Iterable[str]) -> tuple[str, Cell]:
    """Make the cell that says why a row should not be trusted."""
    return text(RELIABILITY, "; ".join(dict.fromkeys(warnings)))


def aligned(texts: Sequence[Texts], text_columns: int) -> list[str]:
    """Return the lines of a table whose first row is the header; numbers are flush right."""
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
    return [
        "  ".join(
            cell.ljust(width) if index < text_columns else cell.rjust(width)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in texts
    ]


def markdown_lines(texts: Sequence[Texts], text_columns: int) -> list[str]:
    """Return the lines in Markdown; texts are shown as they are, whatever they mean there."""
    header, *rows = [[escaped(cell) for cell in row] for row in texts]
    rule = [":--" if index < text_columns else "--:" for index in range(len(header))]
    return ["| " + " | ".join(row) + " |" for row in (header, rule, *rows)]


def escaped(value: str) -> str:
    """Escape a text for one line of Markdown, inside a table or not."""
    for special, shown in (("&", "&amp;"), ("<", "&lt;"), ("|", "\\|")):
        value = value.replace(special, shown)
    return " ".join(value.split())


def plural(count: int, noun: str) -> str:
    """Return ``1 core``, ``2 cores``."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
