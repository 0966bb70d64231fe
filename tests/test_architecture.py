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

#: What runtime/pyproject.toml declares, under the names that are imported; onnxruntime and
#: sounddevice come with its extras.
RUNTIME_MAY_IMPORT = {"numpy", "onnxruntime", "sounddevice", "soundfile", "soxr", "typer"}

#: What the extra ``serve`` brings; for that room alone.
SERVER_MAY_IMPORT = {"fastapi", "prometheus_client", "starlette", "uvicorn", "wyoming"}

#: Modules beside the packages of asr_runtime that import nothing of it, so that all may use them.
RUNTIME_LEAVES = {"bounded_json", "errors", "subtitles", "transcript"}


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


def runtime_room(item: Import) -> str:
    """The package, or the module beside the packages, that an import stands in."""
    return item.file.relative_to(LADDER["asr_runtime"]).parts[0].removesuffix(".py")


@pytest.mark.parametrize("package", LADDER)
def test_no_package_imports_one_above_it(package: str) -> None:
    order = list(LADDER)
    above = set(order[order.index(package) + 1 :])
    found = list(imports(LADDER[package]))
    assert found
    assert not [str(one) for one in found if top(one.module) in above]


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
        if room in RUNTIME_LEAVES:
            wrong.append(str(one))
        elif target in RUNTIME_LEAVES or target in (room, "__version__"):
            continue
        # A name that the package offers at its top would come from the front door.
        elif floors.get(target, -1) <= floors[room]:
            wrong.append(str(one))
    assert not wrong
