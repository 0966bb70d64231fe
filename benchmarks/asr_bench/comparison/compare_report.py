"""A comparison for people (terminal, Markdown) and for programs (JSON)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from asr_bench.comparison.compare import MEMORY_NOISE, Change, Comparison, Unit
from asr_bench.comparison.speed_change import CONFIDENCE, CONFIDENCE_TOGETHER
from asr_bench.reporting.table import aligned, escaped, markdown_lines, plural

FORMAT_VERSION = 1

_HEADER = ("verdict", "engine", "what", "at", "before", "after", "change", "from", "to", "")
_TEXT_COLUMNS = 4

Texts = Sequence[str]


def to_text(comparison: Comparison) -> str:
    """Return what changed, and what seems to have, for a terminal."""
    changed = [change for change in comparison.changes if change.verdict != "same"]
    lines = [*_opening(comparison), ""]
    if changed:
        table = [_HEADER, *(_texts(change) for change in _by_verdict(changed))]
        lines += [*aligned(table, _TEXT_COLUMNS), ""]
    return "\n".join([*lines, *_notes(comparison)])


def to_markdown(comparison: Comparison) -> str:
    """Return everything in Markdown, what changed first."""
    first, *opening = _opening(comparison)
    table = [_HEADER, *(_texts(change) for change in _by_verdict(comparison.changes))]
    return "\n".join(
        [
            f"**{escaped(first)}**",
            "",
            *(f"{escaped(line)}\n" for line in opening),
            *markdown_lines(table, _TEXT_COLUMNS),
            "",
            *(f"- {escaped(note)}" for note in _notes(comparison)),
            "",
        ]
    )


def to_dict(comparison: Comparison) -> dict[str, Any]:
    """Return plain JSON values."""
    return {
        "format_version": FORMAT_VERSION,
        "regressions": len(comparison.regressions),
        "threshold": comparison.threshold,
        "confidence": CONFIDENCE,
        "confidence_together": CONFIDENCE_TOGETHER,
        "warnings": list(comparison.warnings),
        "notes": list(comparison.notes),
        "machine": comparison.machine,
        "changes": [
            {**_plain(change), "is_regression": change.is_regression}
            for change in comparison.changes
        ],
    }


def _plain(change: Change) -> dict[str, Any]:
    values = asdict(change)
    values["doubts"] = values.pop("warnings")  # the key of this format
    return values


def _opening(comparison: Comparison) -> list[str]:
    lines = []
    if comparison.warnings:
        found = "; ".join(comparison.warnings)
        lines.append(f"DIFFERENT MACHINES: no time below counts as a change. {found}")
    counts = {verdict: 0 for verdict in ("worse", "better", "noisy", "same")}
    for change in comparison.changes:
        counts[change.verdict] += 1
    lines.append(
        f"{plural(len(comparison.regressions), 'regression')}; of "
        f"{plural(len(comparison.changes), 'figure')} {counts['worse']} worse, "
        f"{counts['better']} better, {counts['same']} without a change beyond noise, "
        f"{counts['noisy']} changed but too noisy to count"
    )
    return lines


def _notes(comparison: Comparison) -> list[str]:
    percent = f"{100 * comparison.threshold:g} %"
    notes = [
        f"worse or better: a time that changes by more than {percent} with all of its "
        f"{100 * CONFIDENCE:g} % interval (from, to; of several settings together "
        f"{100 * CONFIDENCE_TOGETHER:g} %), memory or size by more than {percent} (memory: and "
        f"{MEMORY_NOISE / 1e6:g} MB); words beyond the interval alone, in points; other projects' "
        "engines are no regressions",
        _machine_note(comparison.machine),
        "on a busy machine times by the clock do not count, and CPU time only if both runs were",
    ]
    uncertain = sum(
        1 for change in comparison.changes if change.verdict == "same" and change.warnings
    )
    if uncertain:
        notes.append(f"{plural(uncertain, 'unchanged figure')} of noisy samples: may hide a change")
    return notes + list(comparison.notes)


def _machine_note(machine: float | None) -> str:
    if machine is None:
        return (
            "no roofline and no other project's engine was steady in both runs: nothing tells how "
            "much the machine's own speed changed"
        )
    return (
        f"the machine took {machine:.3f} times as long in the second run, by rooflines and other "
        "projects' engines, on the mean; that is taken out of every change, setting by setting"
    )


def _by_verdict(changes: Sequence[Change]) -> list[Change]:
    order = ("worse", "better", "noisy", "same")
    return sorted(
        changes, key=lambda change: (not change.is_regression, order.index(change.verdict))
    )


def _texts(change: Change) -> Texts:
    verdict = "REGRESSION" if change.is_regression else change.verdict
    low, high = (
        (_change(change.interval.low, change.unit), _change(change.interval.high, change.unit))
        if change.interval
        else ("", "")
    )
    return (
        verdict,
        change.engine,
        change.measure,
        change.where,
        _figure(change.before, change.unit),
        _figure(change.after, change.unit),
        _change(change.ratio, change.unit),
        low,
        high,
        "; ".join(change.warnings),
    )


def _figure(value: float, unit: Unit) -> str:
    if unit == "seconds":
        return f"{1000 * value:.3g} ms" if value < 1 else f"{value:.3g} s"
    if unit == "bytes":
        return f"{value / 1e6:.4g} MB"
    return f"{100 * value:.2f} %" if unit == "rate" else ""


def _change(ratio: float, unit: Unit) -> str:
    return f"{100 * ratio:+.2f}" if unit == "rate" else f"{100 * (ratio - 1):+.1f} %"
