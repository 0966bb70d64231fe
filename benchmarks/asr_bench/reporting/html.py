"""``report.html``: one file that needs no other, with tables to sort."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from html import escape

from asr_bench.reporting.plots import Plot
from asr_bench.reporting.table import RELIABILITY, Cell, Table

_STYLE = """
:root { color-scheme: light dark; --text: #1b1b1b; --ground: #fff; --line: #ccc; --band: #f3f3f3; }
@media (prefers-color-scheme: dark) {
  :root { --text: #e6e6e6; --ground: #16181b; --line: #444; --band: #22252a; }
}
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 90rem;
  padding: 0 1rem; color: var(--text); background: var(--ground); }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .6rem; border-bottom: 1px solid var(--line); text-align: right;
  white-space: nowrap; }
th.text, td.text { text-align: left; }
tbody tr:nth-child(even) { background: var(--band); }
th button { all: unset; cursor: pointer; font-weight: 600; }
th button:focus-visible { outline: 2px solid; }
th[aria-sort=ascending] button::after { content: " \\25B2"; }
th[aria-sort=descending] button::after { content: " \\25BC"; }
img { max-width: 100%; background: #fff; border-radius: 4px; }
"""

# A click sorts, another one turns the order round; rows without a value stay at the end.
_SCRIPT = """
for (const button of document.querySelectorAll("th button")) {
  button.addEventListener("click", () => {
    const header = button.parentElement, index = header.cellIndex;
    const body = header.closest("table").tBodies[0];
    const sign = header.getAttribute("aria-sort") === "ascending" ? -1 : 1;
    const key = row => row.cells[index].dataset.order;
    const compare = (a, b) => isNaN(a) || isNaN(b) ? a.localeCompare(b) : a - b;
    const rows = [...body.rows].sort((one, other) => {
      const a = key(one), b = key(other);
      if (a === "" || b === "") return (a === "") - (b === "");
      return sign * compare(a, b);
    });
    for (const other of header.parentElement.cells) other.removeAttribute("aria-sort");
    header.setAttribute("aria-sort", sign > 0 ? "ascending" : "descending");
    body.append(...rows);
  });
}
"""


def to_html(
    title: str, notes: Sequence[str], tables: Sequence[Table], plots: Sequence[Plot]
) -> str:
    """Return the whole page: notes, plots, then tables."""
    return "\n".join(
        [
            "<!DOCTYPE html>",
            '<html lang="en">',
            "<head>",
            '<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(title)}</title>",
            f"<style>{_STYLE}</style>",
            "</head>",
            "<body>",
            f"<h1>{escape(title)}</h1>",
            *_list(notes),
            *(line for plot in plots for line in _plot(plot)),
            *(line for table in tables for line in _table(table)),
            f"<script>{_SCRIPT}</script>",
            "</body>",
            "</html>",
            "",
        ]
    )


def _table(table: Table) -> Iterator[str]:
    yield f"<h2>{escape(table.name)}</h2>"
    yield '<div class="wide"><table>'
    headers = (
        f'<th scope="col"{_aligned(table, index)}>'
        f'<button type="button">{escape(name)}</button></th>'
        for index, name in enumerate(table.header)
    )
    yield f"<thead><tr>{''.join(headers)}</tr></thead>"
    yield "<tbody>"
    for row in table.rows:
        cells = (
            f'<td{_aligned(table, index)} data-order="{_order(cell)}">{escape(cell.text)}</td>'
            for index, cell in enumerate(row)
        )
        yield f"<tr>{''.join(cells)}</tr>"
    yield "</tbody></table></div>"
    yield from _list(table.notes)


def _aligned(table: Table, index: int) -> str:
    is_text = index < table.text_columns or table.header[index] == RELIABILITY
    return ' class="text"' if is_text else ""


def _order(cell: Cell) -> str:
    return "" if cell.order is None else escape(str(cell.order))


def _plot(plot: Plot) -> Iterator[str]:
    # As an image: its identifiers and styles cannot meet those of the page or of another plot.
    data = base64.b64encode(plot.svg.encode()).decode()
    yield f"<h2>{escape(plot.title)}</h2>"
    yield f'<img alt="{escape(plot.title)}" src="data:image/svg+xml;base64,{data}">'


def _list(notes: Sequence[str]) -> Iterator[str]:
    if notes:
        yield f"<ul>{''.join(f'<li>{escape(note)}</li>' for note in notes)}</ul>"
