"""The plots of a run, as SVG."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from asr_bench.reporting.rows import LatencyRow, Summary
from asr_bench.reporting.tables import typical_rows
from asr_bench.tables.table_report import plural

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Of Okabe and Ito: told apart with every kind of colour vision. Markers and lines differ as well.
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">")
_LINES = ("-", "--", "-.", ":")


@dataclass(frozen=True)
class Plot:
    """A picture.

    Attributes:
        name: of the file, without its suffix.
        title: what it shows; for those who cannot see it as well.
        svg: the file.
    """

    name: str
    title: str
    svg: str


def plots(summary: Summary) -> list[Plot]:
    """All that there are figures for."""
    styles = _styles(summary)
    found = (
        _over_duration(summary, styles, "latency"),
        _real_time_factors(summary, styles),
        _over_duration(summary, styles, "memory"),
        _accuracy(summary, styles),
    )
    return [plot for plot in found if plot is not None]


def _styles(summary: Summary) -> dict[str, dict[str, Any]]:
    """One an engine, the same in all plots."""
    return {
        row.engine: {
            "color": _COLOURS[index % len(_COLOURS)],
            "marker": _MARKERS[index % len(_MARKERS)],
            "linestyle": _LINES[index // len(_COLOURS) % len(_LINES)],
        }
        for index, row in enumerate(row for row in summary.engines if row.skipped is None)
    }


def _over_duration(summary: Summary, styles: dict[str, dict[str, Any]], what: str) -> Plot | None:
    """Latency or memory of every engine on the fewest threads that it was measured with."""
    value, name, label, title = _QUANTITIES[what]
    lines = {
        typical: points
        for typical in typical_rows(summary).values()
        if (points := _points(summary, typical, value))
    }
    if not lines:
        return None
    figure, axes = _figure(len(lines))
    for typical, points in lines.items():
        axes.plot(
            [duration for duration, _ in points],
            [found for _, found in points],
            label=_plain(f"{typical.engine} ({plural(typical.threads, 'thread')})"),
            markersize=5,
            **styles[typical.engine],
        )
    _logarithmic(axes, "x", sorted({x for points in lines.values() for x, _ in points}))
    _logarithmic(axes, "y")
    axes.set(xlabel="duration of the audio (s)", ylabel=label, title=title)
    _legend(axes, figure)
    return Plot(name, title, _svg(figure))


def _points(
    summary: Summary, typical: LatencyRow, value: Callable[[LatencyRow], float | None]
) -> list[tuple[float, float]]:
    """Duration and figure of the engine's rows on those threads, where there is a figure."""
    figures = (
        (row.duration, value(row))
        for row in summary.latency
        if (row.engine, row.threads) == (typical.engine, typical.threads)
    )
    return sorted((duration, found) for duration, found in figures if found)


def _real_time_factors(summary: Summary, styles: dict[str, dict[str, Any]]) -> Plot | None:
    """Of the longest audio, one line an engine and one marker a number of threads."""
    if not summary.latency:
        return None
    longest = max(row.duration for row in summary.latency)
    rows = [row for row in summary.latency if row.duration == longest]
    engines = list(dict.fromkeys(row.engine for row in rows))
    counts = sorted({row.threads for row in rows})
    figure, axes = _figure(len(engines), legend=False)
    for index, threads in enumerate(counts):
        shown = [row for row in rows if row.threads == threads]
        # One beside the other, so that none hides another.
        shift = 0.4 * ((index + 0.5) / len(counts) - 0.5)
        values = [row.real_time_factor.value for row in shown]
        intervals = [row.real_time_factor.interval for row in shown]
        axes.errorbar(
            values,
            [engines.index(row.engine) + shift for row in shown],
            xerr=_errors(values, [(one.low, one.high) for one in intervals]),
            fmt=_MARKERS[index % len(_MARKERS)],
            color=_COLOURS[index % len(_COLOURS)],
            capsize=3,
            markersize=6,
            label=plural(threads, "thread"),
        )
    axes.set_yticks(range(len(engines)), [_plain(engine) for engine in engines])
    axes.set_ylim(len(engines) - 0.5, -0.5)
    _logarithmic(axes, "x")
    title = f"Real-time factor, {longest:g} s of audio (bars: 95 % interval)"
    axes.set(xlabel="wall time over the audio's length (less is faster)", title=title)
    axes.legend(loc="best", fontsize=8)
    return Plot("real-time-factor", title, _svg(figure))


def _accuracy(summary: Summary, styles: dict[str, dict[str, Any]]) -> Plot | None:
    """Words against time, of the same recordings."""
    rows = [
        (row, row.word_error_rate, row.real_time_factor)
        for row in summary.engines
        if row.word_error_rate and row.real_time_factor
    ]
    if not rows:
        return None
    figure, axes = _figure(len(rows))
    for row, rate, factor in rows:
        percent = 100 * rate.value
        bounds = [(100 * rate.interval.low, 100 * rate.interval.high)]
        style = styles[row.engine]
        axes.errorbar(
            [factor],
            [percent],
            yerr=_errors([percent], bounds),
            fmt=style["marker"],
            color=style["color"],
            markerfacecolor="white" if row.kind == "peer" else style["color"],
            markersize=7,
            capsize=3,
            label=_plain(row.engine),
        )
    _logarithmic(axes, "x")
    axes.set_ylim(bottom=0)
    title = "Word error rate against time (hollow: other projects; bars: 95 % interval)"
    axes.set(
        xlabel="real-time factor on the recordings (less is faster)",
        ylabel="word error rate (%)",
        title=title,
    )
    _legend(axes, figure)
    return Plot("word-error-rate", title, _svg(figure))


def _milliseconds(row: LatencyRow) -> float:
    return 1000 * row.median.value


def _megabytes(row: LatencyRow) -> float | None:
    return None if row.peak_rss is None else row.peak_rss / 1e6


#: By what is drawn: the figure of a row, the file's name, the axis and the title.
_QUANTITIES: dict[str, tuple[Callable[[LatencyRow], float | None], str, str, str]] = {
    "latency": (_milliseconds, "latency", "median latency (ms)", "Latency against duration"),
    "memory": (_megabytes, "memory", "peak resident memory (MB)", "Memory against duration"),
}


def _figure(entries: int, *, legend: bool = True) -> tuple[Figure, Axes]:
    # Without pyplot no display and no global state are touched.
    from matplotlib.figure import Figure

    height = max(4.0, 1.2 + (0.22 if legend else 0.4) * entries)
    figure = Figure(figsize=(9, height), layout="constrained")
    axes = figure.add_subplot()
    axes.grid(which="major", color="#cccccc", linewidth=0.6)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    return figure, axes


def _logarithmic(axes: Axes, name: Literal["x", "y"], ticks: Sequence[float] = ()) -> None:
    """With plain numbers, at ``ticks`` if there are any, else at 1, 2 and 5 of every power."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullFormatter

    if name == "x":
        axes.set_xscale("log")
    else:
        axes.set_yscale("log")
    axis = axes.xaxis if name == "x" else axes.yaxis
    axis.set_major_locator(FixedLocator(ticks) if ticks else LogLocator(10, subs=(1, 2, 5)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())


def _legend(axes: Axes, figure: Figure) -> None:
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside right upper", fontsize=8, frameon=False)


def _errors(values: Sequence[float], bounds: Sequence[tuple[float, float]]) -> list[list[float]]:
    """Lengths below and above; an interval by bootstrap may lie beside the figure."""
    pairs = list(zip(values, bounds, strict=True))
    return [
        [max(0.0, value - low) for value, (low, _) in pairs],
        [max(0.0, high - value) for value, (_, high) in pairs],
    ]


def _plain(text: str) -> str:
    # A dollar sign would begin a formula, an underscore at the start hide the entry.
    return text.replace("$", r"\$").lstrip("_")


def _svg(figure: Figure) -> str:
    from matplotlib import rc_context

    file = io.StringIO()
    # The same figures give the same file; white behind it also where the page is dark.
    with rc_context({"svg.hashsalt": "asr-bench"}):
        figure.savefig(file, format="svg", facecolor="white", metadata={"Date": None})
    return file.getvalue()
