"""What docs/audio-files.md says of every format in every condition is what happens."""

import importlib.util
from importlib.machinery import SourceFileLoader
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "script" / "audio-files"


@pytest.fixture(scope="module")
def script():
    loader = SourceFileLoader("audio_files", str(SCRIPT))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("audio_files", loader))
    loader.exec_module(module)
    return module


def test_the_document_has_the_table(script):
    assert script.table() in script.DOCUMENT.read_text(encoding="utf-8")


def test_nothing_is_lost_in_silence(script):
    for name, *cells in script.rows():
        for condition, cell in zip(script.CONDITIONS, cells, strict=True):
            assert cell in ("whole", "both", "refused", "not noticed", "-"), (name, condition)


@pytest.mark.parametrize("name", ["WAV, 16 bit", "WAV, float", "WAV, µ-law", "RF64"])
def test_a_pipe_gives_the_answer_of_the_file(script, name):
    whole = script.make(name)
    for condition, damage in script.CONDITIONS.items():
        content = damage(name, whole)
        assert script.outcome(content, live=True) == script.outcome(content), condition
