"""Compare the runs of emulate.sh, and print what was found as Markdown.

report.py FOLDER SITE_PACKAGES CPU…: FOLDER has wheels/ and measured/{host,CPU…}-{text,json}.json.
"""

import importlib.metadata
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from wheel_files import read_wheels

MEGABYTE = 1e6
PI_5_PAGE = 16384  # bytes; the kernel of Raspberry Pi OS for the Raspberry Pi 5 uses these
CONFIDENCE_TOLERANCE = 1e-3
TIME_TOLERANCE = 1e-3  # seconds


def main() -> None:
    """Print the report; exit with status 1 and a line for each difference if there is any."""
    folder, site_packages, cpus = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:]
    print_wheels(folder / "wheels", site_packages)
    problems = [
        *wheel_problems(folder / "wheels"),
        *print_runs(folder / "measured", cpus),
    ]
    for problem in problems:
        print(f"emulate.sh: {problem}", file=sys.stderr)
    sys.exit(bool(problems))


def print_wheels(wheels: Path, site_packages: Path) -> None:
    """A table row a wheel, and the sums."""
    installed = installed_sizes(site_packages)
    print("| wheel | download, MB | installed, MB | native code | loads with pages up to |")
    print("|---|--:|--:|---|--:|")
    for wheel in read_wheels(wheels):
        native = ", ".join(sorted(wheel.machines)) or "none"
        pages = "" if wheel.page_size is None else f"{wheel.page_size // 1024} KiB"
        size = installed.get(distribution_name(wheel.name), 0) / MEGABYTE
        print(f"| `{wheel.name}` | {wheel.size / MEGABYTE:.2f} | {size:.1f} | {native} | {pages} |")
    download = sum(wheel.size for wheel in read_wheels(wheels)) / MEGABYTE
    total = sum(installed.values()) / MEGABYTE
    print(f"| all | **{download:.1f}** | **{total:.1f}** | | |")


def distribution_name(name: str) -> str:
    """The normalised name in front of a wheel's version, or of a distribution."""
    return name.split("-")[0].lower().replace("_", "-")


def installed_sizes(site_packages: Path) -> dict[str, int]:
    """Bytes of each distribution's files, compiled ones included; without pip and setuptools."""
    sizes = {}
    for distribution in importlib.metadata.distributions(path=[str(site_packages)]):
        name = distribution.metadata["Name"].lower().replace("_", "-")
        if name not in {"pip", "setuptools"}:
            files = (Path(str(file.locate())) for file in distribution.files or [])
            sizes[name] = sum(file.stat().st_size for file in files if file.is_file())
    return sizes


def wheel_problems(wheels: Path) -> Iterator[str]:
    """Wheels that a 64-bit Raspberry Pi cannot load."""
    for wheel in read_wheels(wheels):
        if not wheel.machines <= {"aarch64"}:
            yield f"{wheel.name} has code for {', '.join(sorted(wheel.machines))}"
        if wheel.page_size is not None and wheel.page_size < PI_5_PAGE:
            yield f"{wheel.name} cannot be loaded with pages of {PI_5_PAGE} bytes"


def print_runs(measured: Path, cpus: list[str]) -> Iterator[str]:
    """A table row a processor. Yields how an emulated run differs from this machine's."""
    host_text, host_json = (read(measured, "host", form) for form in ("text", "json"))
    print(
        "\n| processor | text | largest difference of a confidence | of a time, s "
        "| wall time, s | peak memory, MB |"
    )
    print("|---|---|--:|--:|--:|--:|")
    for name in ("host", *cpus):
        text, structured = (read(measured, name, form) for form in ("text", "json"))
        confidences, times = differences(
            json.loads(host_json["output"]), json.loads(structured["output"])
        )
        print(
            f"| {name} | {text['output'].strip()} | {confidences:.1e} | {times:.3f} "
            f"| {text['seconds']:.1f} | {text['peak_bytes'] / MEGABYTE:.0f} |"
        )
        if text["output"] != host_text["output"]:
            yield f"{name} gives the text {text['output']!r}, not {host_text['output']!r}"
        if confidences > CONFIDENCE_TOLERANCE or times > TIME_TOLERANCE:
            yield f"{name} differs in text, or by {confidences} in confidence or {times} s in time"


def read(measured: Path, name: str, form: str) -> Any:
    """What measure.py wrote."""
    return json.loads((measured / f"{name}-{form}.json").read_text(encoding="utf-8"))


def differences(one: dict[str, Any], other: dict[str, Any]) -> tuple[float, float]:
    """The largest difference of a confidence and of a time in seconds; infinite if texts differ."""
    pairs = [(one, other)]
    for parts in ("words", "tokens"):
        if [part["text"] for part in one[parts]] != [part["text"] for part in other[parts]]:
            return float("inf"), float("inf")
        pairs += zip(one[parts], other[parts], strict=True)
    confidences = max(abs(a["confidence"] - b["confidence"]) for a, b in pairs)
    times = max(
        (abs(a[edge] - b[edge]) for a, b in pairs[1:] for edge in ("start", "end")), default=0.0
    )
    return confidences, times


if __name__ == "__main__":
    main()
