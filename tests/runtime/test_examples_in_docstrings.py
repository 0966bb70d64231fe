"""The examples in the docstrings of asr_runtime give what they say."""

import ast
import doctest
import importlib
from pathlib import Path

import pytest

import asr_runtime
from asr_runtime.recognizer import DEFAULT_MODEL

PACKAGE = Path(asr_runtime.__file__).parent
CHECKOUT = PACKAGE.parents[1]


def modules_with_examples():
    for path in sorted(PACKAGE.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        if ">>> " in text and any(
            ">>> " in (ast.get_docstring(node) or "")
            for node in ast.walk(ast.parse(text))
            if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef))
        ):
            yield ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)


MODULES = list(modules_with_examples())


def test_there_are_examples():
    assert {"asr_runtime.recognizer", "asr_runtime.decoding.greedy"} <= set(MODULES)


@pytest.mark.skipif(not DEFAULT_MODEL.exists(), reason="the default model is not installed")
@pytest.mark.parametrize("module", MODULES)
def test_examples(module, monkeypatch):
    monkeypatch.chdir(CHECKOUT)
    found = doctest.testmod(importlib.import_module(module))
    assert (found.failed, found.attempted > 0) == (0, True)
