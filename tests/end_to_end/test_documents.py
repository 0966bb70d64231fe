"""What the documents promise exists: files that they link to, names and commands that they use."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import asr_runtime
from asr_runtime import LiveStream, Recognizer, StreamResult, Transcript, Word

ROOT = Path(__file__).parents[2]

#: Folders that hold what others wrote, or what programs did.
NOT_OURS = {"build", "dist", "node_modules", "runs", "venv"}

#: What the Python blocks call the objects that they use.
CALLED = {
    "recognizer": Recognizer,
    "stream": LiveStream,
    "result": StreamResult,
    "transcript": Transcript,
    "sentence": Transcript,
    "word": Word,
}


def documents() -> Iterator[Path]:
    for folder, inner, files in os.walk(ROOT):
        inner[:] = [
            name
            for name in sorted(inner)
            if name not in NOT_OURS and (not name.startswith(".") or name == ".github")
        ]
        yield from (Path(folder, name) for name in sorted(files) if name.endswith(".md"))


DOCUMENTS = {path.relative_to(ROOT).as_posix(): path for path in documents()}


def python_blocks(path: Path) -> list[str]:
    text = path.read_text(encoding="utf-8")
    return re.findall(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def prose(path: Path) -> str:
    """The text without its code, fenced, indented or quoted."""
    text = re.sub(r"^```.*?^```$", "", path.read_text(encoding="utf-8"), flags=re.M | re.S)
    return re.sub(r"`[^`\n]+`", "code", re.sub(r"^ {4}.*$", "", text, flags=re.M))


def anchors(path: Path) -> set[str]:
    """The places in a document that a link can lead to, spelled as GitHub spells them."""
    text = re.sub(r"^```.*?^```$", "", path.read_text(encoding="utf-8"), flags=re.M | re.S)
    titles = re.findall(r"^#+ +(.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def exists(dotted: str) -> bool:
    """Whether this is a module, or a name in one."""
    if dotted == "asr_runtime":
        return True
    parent, _, name = dotted.rpartition(".")
    if not exists(parent):
        return False
    try:
        module = importlib.import_module(parent)
    except ImportError:  # the parent is a name in a module
        owner, _, inner = parent.rpartition(".")
        return hasattr(getattr(importlib.import_module(owner), inner), name)
    return hasattr(module, name) or (
        hasattr(module, "__path__") and importlib.util.find_spec(dotted) is not None
    )


def names_used(code: str) -> Iterator[str]:
    """The names of asr_runtime that a block imports."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("asr_runtime"):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            names = (alias.name for alias in node.names)
            yield from (name for name in names if name.startswith("asr_runtime"))


@pytest.mark.parametrize("name", [name for name in DOCUMENTS if python_blocks(DOCUMENTS[name])])
def test_python_blocks_compile_and_name_what_exists(name: str) -> None:
    for code in python_blocks(DOCUMENTS[name]):
        compile(code, name, "exec")
        assert [used for used in names_used(code) if not exists(used)] == []
        for node in ast.walk(ast.parse(code)):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                kind = CALLED.get(node.value.id)
                fields = getattr(kind, "__dataclass_fields__", ())
                assert kind is None or hasattr(kind, node.attr) or node.attr in fields, (
                    f"{kind.__name__} has no {node.attr}"
                )


@pytest.mark.parametrize("name", ["README.md", "runtime/README.md", "docs/live.md"])
def test_the_blocks_are_found(name: str) -> None:
    assert python_blocks(DOCUMENTS[name])


@pytest.mark.parametrize("name", DOCUMENTS)
def test_dotted_names_in_the_text_exist(name: str) -> None:
    text = DOCUMENTS[name].read_text(encoding="utf-8")
    named = re.findall(r"`(asr_runtime(?:\.[A-Za-z_]\w*)+)(?:\(\))?`", text)
    assert [dotted for dotted in named if not exists(dotted)] == []


@pytest.mark.parametrize("name", DOCUMENTS)
def test_links_lead_somewhere(name: str) -> None:
    path = DOCUMENTS[name]
    broken = []
    for link in re.findall(r"\]\(([^)\s]+)\)", prose(path)):
        if re.match(r"[a-z]+:", link):
            continue
        file, _, anchor = link.partition("#")
        target = path.parent / file if file else path
        if not target.exists() or (
            anchor and target.suffix == ".md" and anchor not in anchors(target)
        ):
            broken.append(link)
    assert not broken


@pytest.mark.parametrize("name", ["ARCHITECTURE.md", "CONTRIBUTING.md", "runtime/README.md"])
def test_files_that_the_text_names_exist(name: str) -> None:
    """Whole paths or the ends of paths; one with NAME or * in it stands for several."""
    text = DOCUMENTS[name].read_text(encoding="utf-8")
    named = set(re.findall(r"`([\w./-]+\.(?:py|md|toml|yaml|sh))`", text))
    folders = ("asr_export", "benchmarks", "docs", "runtime", "tests", "train")
    files = {path.as_posix() for folder in folders for path in (ROOT / folder).rglob("*.*")}
    files |= {path.as_posix() for path in ROOT.glob("*.*")}
    missing = [
        one
        for one in sorted(named)
        if "NAME" not in one and not any(path.endswith(f"/{one}") for path in files)
    ]
    assert missing == []


def test_scripts_run_what_the_readme_says() -> None:
    readme = DOCUMENTS["README.md"].read_text(encoding="utf-8")
    command = readme.partition("<!-- test command -->")[2].split("```")[1].removeprefix("sh\n")
    *setup, test = command.strip().split(" && ")
    assert setup
    for step in setup:
        script = (ROOT / "script" / "setup").read_text(encoding="utf-8")
        assert step.replace("python -m venv", '"${PYTHON:-python}" -m venv') in script
    assert test in (ROOT / "script" / "test").read_text(encoding="utf-8")


def test_everything_that_is_offered_exists() -> None:
    assert [name for name in asr_runtime.__all__ if not hasattr(asr_runtime, name)] == []
