"""Which package may import which: the walls of ARCHITECTURE.md, read from the source."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]

#: From the lowest to the highest: a package may import itself and those before it.
LADDER = {
    "asr_runtime": ROOT / "runtime" / "asr_runtime",
    "asr_train": ROOT / "train" / "asr_train",
    "asr_export": ROOT / "asr_export",
    "asr_bench": ROOT / "benchmarks" / "asr_bench",
}

#: What runtime/pyproject.toml declares, under the names that are imported; onnxruntime,
#: sounddevice and av come with its extras.
RUNTIME_MAY_IMPORT = {"av", "numpy", "onnxruntime", "sounddevice", "soundfile", "soxr", "typer"}

#: Modules beside the packages of asr_export that import nothing of it, so that all may use them.
EXPORT_LEAVES = {"errors"}

#: What the extra ``serve`` brings; for that room alone.
SERVER_MAY_IMPORT = {"fastapi", "prometheus_client", "starlette", "uvicorn", "wyoming"}

#: Modules beside the packages of asr_runtime that import nothing of it, so that all may use them.
RUNTIME_LEAVES = {
    "bounded_json",
    "errors",
    "standard_streams",
    "subtitles",
    "timed_text",
    "transcript",
}


#: Modules beside the packages of asr_train: all may use the first ones, and cli.py uses all.
TRAINER_LEAVES, TRAINER_FRONT_DOORS = {"errors", "output", "settings"}, {"__main__", "cli"}


class Import(NamedTuple):
    """A module that a file imports, anywhere in it: also late, and for type checkers."""

    file: Path
    line: int
    module: str

    def __str__(self) -> str:
        return f"{self.file.relative_to(ROOT)}:{self.line} imports {self.module}"


def imports(folder: Path) -> Iterator[Import]:
    """All imports below ``folder``, in the order of the files."""
    for file in sorted(folder.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                assert not node.level, f"{file}:{node.lineno}: write the package's name out"
                module = str(node.module)
                inner = [f"{module}.{alias.name}" for alias in node.names]
                names = [module] if "." in module else inner
            else:
                continue
            yield from (Import(file, node.lineno, name) for name in names)


def top(module: str) -> str:
    return module.partition(".")[0]


def runtime_floors() -> dict[str, int]:
    """Floor by package of asr_runtime, 0 the highest, from the table of runtime/README.md."""
    text = (ROOT / "runtime" / "README.md").read_text(encoding="utf-8")
    table = text.partition("| in `asr_runtime` |")[2].partition("\n\n")[0]
    rows = [line.split("|")[1] for line in table.splitlines()[2:]]
    return {
        name.removesuffix(".py"): floor
        for floor, cell in enumerate(rows)
        for name in re.findall(r"`([^`]+)`", cell)
    }


def export_floors() -> dict[str, int]:
    """Floor by package of asr_export, 0 the highest, from its table in ARCHITECTURE.md."""
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    table = text.partition("**`asr_export`**")[2].partition("|---|---|\n")[2].partition("\n\n")[0]
    rows = [line.split("|")[1] for line in table.splitlines()]
    return {
        name.removesuffix(".py"): floor
        for floor, cell in enumerate(rows)
        for name in re.findall(r"`([^`]+)`", cell)
    }


def room(item: Import, package: str) -> str:
    """The package inside ``package``, or the module beside those, that an import stands in."""
    return item.file.relative_to(LADDER[package]).parts[0].removesuffix(".py")


def runtime_room(item: Import) -> str:
    """The package, or the module beside the packages, that an import stands in."""
    return room(item, "asr_runtime")


@pytest.mark.parametrize("package", LADDER)
def test_no_package_imports_one_above_it(package: str) -> None:
    order = list(LADDER)
    above = set(order[order.index(package) + 1 :])
    found = list(imports(LADDER[package]))
    assert found
    assert not [str(one) for one in found if top(one.module) in above]


def trainer_floors() -> dict[str, int]:
    """Floor by package of asr_train, 0 the highest, from the table of ARCHITECTURE.md."""
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    table = text.partition("**`asr_train`**")[2].partition("| | |")[2].partition("\n\n")[0]
    return {name: floor for floor, name in enumerate(re.findall(r"^\| `(\w+)`", table, re.M))}


def test_no_package_of_the_trainer_imports_one_above_it() -> None:
    folder, floors = LADDER["asr_train"], trainer_floors()
    assert floors.keys() == {path.parent.name for path in folder.glob("*/__init__.py")}
    wrong = []
    for one in imports(folder):
        room = one.file.relative_to(folder).parts[0].removesuffix(".py")
        target = one.module.split(".")[1] if one.module.startswith("asr_train.") else room
        if target == room or room in TRAINER_FRONT_DOORS or target == "errors":
            continue
        allowed = target in TRAINER_LEAVES or floors.get(target, -1) > floors.get(room, 0)
        if not allowed or room in TRAINER_LEAVES:
            wrong.append(str(one))
    assert not wrong


def test_the_runtime_imports_no_more_than_it_declares() -> None:
    allowed = {"asr_runtime", *RUNTIME_MAY_IMPORT, *sys.stdlib_module_names}
    foreign = [one for one in imports(LADDER["asr_runtime"]) if top(one.module) not in allowed]
    outside = [
        one
        for one in foreign
        if runtime_room(one) != "serve" or top(one.module) not in SERVER_MAY_IMPORT
    ]
    assert not [str(one) for one in outside]


def test_every_package_of_the_runtime_stands_in_the_table_of_its_readme() -> None:
    rooms = {path.parent.name for path in LADDER["asr_runtime"].glob("*/__init__.py")}
    assert runtime_floors().keys() == rooms | {"recognizer"}


def test_no_package_of_the_runtime_imports_one_above_it_in_the_table() -> None:
    floors = runtime_floors()
    wrong = []
    for one in imports(LADDER["asr_runtime"]):
        room, parts = runtime_room(one), one.module.split(".")
        if parts[0] != "asr_runtime" or len(parts) < 2 or room.startswith("__"):
            continue
        target = parts[1]
        if room == "transcript" and target in ("subtitles", "timed_text"):
            continue  # Transcript.to_srt, and what a transcript consists of
        if room in RUNTIME_LEAVES:
            wrong.append(str(one))
        elif target in RUNTIME_LEAVES or target in (room, "__version__"):
            continue
        # A name that the package offers at its top would come from the front door.
        elif floors.get(target, -1) <= floors[room]:
            wrong.append(str(one))
    assert not wrong


def test_every_package_of_the_exporter_stands_in_the_table() -> None:
    folder = LADDER["asr_export"]
    rooms = {path.parent.name for path in folder.glob("*/__init__.py")}
    modules = {path.stem for path in folder.glob("*.py") if not path.stem.startswith("__")}
    assert export_floors().keys() == (rooms | modules) - EXPORT_LEAVES


def test_no_package_of_the_exporter_imports_one_above_it_in_the_table() -> None:
    """So its import arrows go one way, and there is no circle."""
    floors = export_floors()
    wrong = []
    for one in imports(LADDER["asr_export"]):
        here, parts = room(one, "asr_export"), one.module.split(".")
        if parts[0] != "asr_export" or here.startswith("__"):
            continue
        target = parts[1]
        if here in EXPORT_LEAVES:
            wrong.append(str(one))
        elif target in EXPORT_LEAVES or target == here:
            continue
        elif floors.get(target, -1) <= floors[here]:
            wrong.append(str(one))
    assert not wrong


#: Packages of asr_bench, and modules beside them, from the lowest floor to the highest: each may
#: import itself and those before it.
BENCH_FLOORS = (
    *("errors", "measuring", "json_records", "results", "results_file", "exporting", "options"),
    *("engines", "reporting", "runs", "comparison", "profiling", "long_form", "hotwords"),
    *("fuzzing", "cli"),
)


def test_no_package_of_the_benchmarks_imports_one_above_it() -> None:
    folder = LADDER["asr_bench"]
    rooms = {path.relative_to(folder).parts[0].removesuffix(".py") for path in folder.rglob("*.py")}
    assert rooms == {*BENCH_FLOORS, "__init__"}
    wrong = []
    for one in imports(folder):
        package, _, inner = one.module.partition(".")
        room = one.file.relative_to(folder).parts[0].removesuffix(".py")
        if package == "asr_bench" and inner and room != "__init__":
            target = inner.partition(".")[0]
            if BENCH_FLOORS.index(target) > BENCH_FLOORS.index(room):
                wrong.append(str(one))
    assert not wrong
