"""A table that every kind of document can show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from asr_bench.reporting.rows import Estimate
from asr_bench.tables.text_table import markdown_lines


@dataclass(frozen=True)
class Cell:
    """A text, and what to sort by: numbers, if a column has any."""

    text: str
    order: float | str | None


@dataclass(frozen=True)
class Table:
    """Rows of cells under a header.

    Attributes:
        name: its title.
        header: of the columns.
        text_columns: how many columns, from the left, are text; the rest are numbers, but for the
            last, which says what to know of a row.
        rows: as long as the header, each.
        notes: what one has to know to read it, one line each.
    """

    name: str
    header: tuple[str, ...]
    text_columns: int
    rows: tuple[tuple[Cell, ...], ...]
    notes: tuple[str, ...] = ()

    def without_empty(self, column: str) -> Table:
        """Without the column of that name, if no row has anything in it."""
        index = self.header.index(column)
        if any(row[index].text for row in self.rows):
            return self
        return replace(
            self,
            header=(*self.header[:index], *self.header[index + 1 :]),
            rows=tuple((*row[:index], *row[index + 1 :]) for row in self.rows),
        )

    def markdown(self) -> list[str]:
        """Lines."""
        texts: list[Sequence[str]] = [[cell.text for cell in row] for row in self.rows]
        return markdown_lines([self.header, *texts], self.text_columns)


def text(value: str) -> Cell:
    """Sorted as it reads."""
    return Cell(value, value)


def number(value: float | None, form: str = ".3g", factor: float = 1, after: str = "") -> Cell:
    """``value`` times ``factor``, as ``form`` says; nothing where there is none."""
    if value is None:
        return Cell("", None)
    return Cell(f"{factor * value:{form}}{after}", value)


def estimate(found: Estimate | None, form: str = ".3g", factor: float = 1) -> tuple[Cell, Cell]:
    """The figure, and from where to where its interval goes, sorted by how wide that is."""
    if found is None:
        return number(None), Cell("", None)
    low, high = factor * found.interval.low, factor * found.interval.high
    width = found.interval.high - found.interval.low
    return number(found.value, form, factor), Cell(f"{low:{form}} to {high:{form}}", width)
