"""The plots of a run, as SVG."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from asr_bench.reporting.figures import (
    Estimate,
    measured,
    median,
    real_time_factor,
    typical,
    word_error_rate,
)
from asr_bench.reporting.table import plural
from asr_bench.results import Latency, Results

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Of Okabe and Ito: told apart with every kind of colour vision. Markers and lines differ as well.
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">")
_LINES = ("-", "--", "-.", ":")
#: The same figures give the same file; letters are stored as text, a third of the size of outlines.
_SAVED: dict[Any, Any] = {
    "svg.hashsalt": "asr-bench",
    "svg.fonttype": "none",
    "font.sans-serif": ["DejaVu Sans", "Arial"],
}


@dataclass(frozen=True)
class Plot:
    """A picture.

    Attributes:
        name: Name of the file, without its suffix.
        title: What it shows, also for those who cannot see it.
        svg: Content of the file.
    """

    name: str
    title: str
    svg: str


def plots(results: Results) -> list[Plot]:
    """Draw all plots that there are figures for."""
    styles = {engine.name: _style(index) for index, engine in enumerate(measured(results))}
    drawn = (
        _over_duration(
            results,
            styles,
            "latency",
            "Latency against duration",
            "median latency (ms)",
            lambda row: 1000 * median(row.wall).value,
        ),
        _real_time_factors(results),
        _over_duration(
            results,
            styles,
            "memory",
            "Memory against duration",
            "peak resident memory (MB)",
            lambda row: row.peak_rss / 1e6,
        ),
        _accuracy(results, styles),
    )
    return [plot for plot in drawn if plot is not None]


def _style(index: int) -> dict[str, Any]:
    return {
        "color": _COLOURS[index % len(_COLOURS)],
        "marker": _MARKERS[index % len(_MARKERS)],
        "linestyle": _LINES[index // len(_COLOURS) % len(_LINES)],
    }


def _over_duration(
    results: Results,
    styles: dict[str, dict[str, Any]],
    name: str,
    title: str,
    label: str,
    value: Callable[[Latency], float],
) -> Plot | None:
    """Draw a figure of every engine on the fewest threads it was measured with."""
    shown = typical(results)
    lines = {
        engine.name: sorted(
            (row.duration, value(row))
            for row in engine.latency
            if row.threads == shown[engine.name].threads and value(row)
        )
        for engine in measured(results)
    }
    lines = {engine: points for engine, points in lines.items() if points}
    if not lines:
        return None
    figure, axes = _figure(len(lines))
    for engine, points in lines.items():
        entry = _plain(f"{engine} ({plural(shown[engine].threads, 'thread')})")
        axes.plot(*zip(*points, strict=True), label=entry, markersize=5, **styles[engine])
    _logarithmic(axes, "x", sorted({x for points in lines.values() for x, _ in points}))
    _logarithmic(axes, "y")
    axes.set(xlabel="duration of the audio (s)", ylabel=label, title=title)
    _legend(axes, figure)
    return Plot(name, title, _svg(figure))


def _real_time_factors(results: Results) -> Plot | None:
    """Draw the longest audio, one line an engine and one marker a number of threads."""
    rows = [(engine.name, row) for engine in measured(results) for row in engine.latency]
    if not rows:
        return None
    longest = max(row.duration for _, row in rows)
    rows = [(engine, row) for engine, row in rows if row.duration == longest]
    engines = list(dict.fromkeys(engine for engine, _ in rows))
    counts = sorted({row.threads for _, row in rows})
    figure, axes = _figure(len(engines), legend=False)
    for index, threads in enumerate(counts):
        shown = [(engine, row) for engine, row in rows if row.threads == threads]
        # One beside the other, so that none hides another.
        shift = 0.4 * ((index + 0.5) / len(counts) - 0.5)
        factors = [real_time_factor(row) for _, row in shown]
        axes.errorbar(
            [factor.value for factor in factors],
            [engines.index(engine) + shift for engine, _ in shown],
            xerr=_errors(factors),
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


def _accuracy(results: Results, styles: dict[str, dict[str, Any]]) -> Plot | None:
    """Draw words against time, on the same recordings."""
    rows = [
        (engine, rate.scaled(100), engine.accuracy.wall / engine.accuracy.audio)
        for engine in measured(results)
        if engine.accuracy and engine.accuracy.audio and (rate := word_error_rate(engine))
    ]
    if not rows:
        return None
    figure, axes = _figure(len(rows))
    for engine, percent, factor in rows:
        style = styles[engine.name]
        axes.errorbar(
            [factor],
            [percent.value],
            yerr=_errors([percent]),
            fmt=style["marker"],
            color=style["color"],
            markerfacecolor="white" if engine.kind == "peer" else style["color"],
            markersize=7,
            capsize=3,
            label=_plain(engine.name),
        )
    _logarithmic(axes, "x")
    axes.set_ylim(bottom=0)
    title = "Word error rate against time (hollow: other projects; bars: 95 % interval)"
    speed = "real-time factor on the recordings (less is faster)"
    axes.set(xlabel=speed, ylabel="word error rate (%)", title=title)
    _legend(axes, figure)
    return Plot("word-error-rate", title, _svg(figure))


def _figure(entries: int, *, legend: bool = True) -> tuple[Figure, Axes]:
    # Without pyplot no display and no global state are touched.
    from matplotlib.figure import Figure

    height = max(4.0, 1.2 + (0.22 if legend else 0.4) * entries)
    figure = Figure(figsize=(9, height), layout="constrained")
    axes = figure.add_subplot()
    axes.grid(which="major", color="#cccccc", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _logarithmic(axes: Axes, name: str, ticks: Sequence[float] = ()) -> None:
    """Scale the axis x or y, with plain numbers at ``ticks``, else at 1, 2 and 5 of every power."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullFormatter

    axes.set(**{f"{name}scale": "log"})
    axis = axes.xaxis if name == "x" else axes.yaxis
    axis.set_major_locator(FixedLocator(ticks) if ticks else LogLocator(10, subs=(1, 2, 5)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())


def _legend(axes: Axes, figure: Figure) -> None:
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside right upper", fontsize=8, frameon=False)


def _errors(estimates: Sequence[Estimate]) -> list[list[float]]:
    """Return lengths below and above; an interval by bootstrap may lie beside the figure."""
    return [
        [max(0.0, one.value - one.interval.low) for one in estimates],
        [max(0.0, one.interval.high - one.value) for one in estimates],
    ]


def _plain(text: str) -> str:
    # A dollar sign would begin a formula, an underscore at the start hide the entry.
    return text.replace("$", r"\$").lstrip("_")


def _svg(figure: Figure) -> str:
    from matplotlib import rc_context

    file = io.StringIO()
    # White behind it also where the page is dark.
    with rc_context(_SAVED):
        figure.savefig(file, format="svg", facecolor="white", metadata={"Date": None})
    return file.getvalue()
