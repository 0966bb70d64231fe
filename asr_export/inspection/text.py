"""What is inside an exported model, laid out for a person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from asr_runtime.model_file.contract import CARD_KEY

#: Keys of the card that have a place of their own.
_ELSEWHERE = {"architecture", "documentation"}

_Rows = Sequence[tuple[str, str]]


def inspection_text(report: Mapping[str, Any]) -> str:
    """Lay out the report of ``inspect_model``; sections that it lacks are left out."""
    card: Mapping[str, Any] = report[CARD_KEY]
    architecture = card.get("architecture")
    sections: list[tuple[str, _Rows]] = [
        (
            report["file"],
            [
                ("format", _format(report)),
                ("size", f"{report['bytes'] / 1e6:.2f} MB ({report['bytes']} bytes)"),
                ("sha-256", report["sha256"]),
            ],
        ),
        (
            "model card",
            [(key, _value(value)) for key, value in card.items() if key not in _ELSEWHERE],
        ),
    ]
    if isinstance(architecture, Mapping):
        rows = [(key, _value(value)) for key, value in architecture.items()]
        sections.append(("architecture", rows))
    for key in ("inputs", "outputs"):
        if key in report:
            sections.append((key, list(report[key].items())))
    operations = report["operations_per_second"]
    if operations is not None:
        rows = [(part, f"{count / 1e6:9.1f} M") for part, count in operations.items()]
        sections.append(("floating-point operations a second of audio", rows))
    if "operators" in report:
        rows = [(name, f"{count:4}") for name, count in report["operators"].items()]
        sections.append(("operators", rows))
    if "layers" in report:
        sections.append(("stored weights by layer", _layers(report)))
    parts = [_section(title, rows) for title, rows in sections]
    if isinstance(card.get("documentation"), str):
        parts.append(card["documentation"].strip())
    return "\n\n".join(parts)


def _format(report: Mapping[str, Any]) -> str:
    opsets = report.get("opset", {}).items()
    return ", ".join([report["format"], *(f"opset {domain} {number}" for domain, number in opsets)])


def _layers(report: Mapping[str, Any]) -> _Rows:
    layers: Mapping[str, int] = report["layers"]
    total = sum(layers.values())
    sizes = {**layers, "all weights": total, "graph and card": report["bytes"] - total}
    return [
        (name, f"{size / 1e3:9.1f} kB  {size / report['bytes']:6.1%}")
        for name, size in sizes.items()
    ]


def _value(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_value(item)}" for key, item in value.items()) or "-"
    if isinstance(value, list):
        return " ".join("▁" if item == " " else str(item) for item in value)
    if isinstance(value, float):
        return f"{value:.6g}"
    return "-" if value is None else str(value)


def _section(title: str, rows: _Rows) -> str:
    width = max((len(name) for name, _ in rows), default=0)
    return "\n".join([title, *(f"  {name:<{width}}  {text}" for name, text in rows)])
