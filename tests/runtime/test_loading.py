from __future__ import annotations

import gc

import pytest

from asr_runtime.command.loading import LoadingOptions
from asr_runtime.errors import ModelFileError
from asr_runtime.recognizer import Recognizer


def test_nothing_is_collected_while_a_model_is_loaded(monkeypatch):
    collecting = []
    monkeypatch.setattr(Recognizer, "load", lambda *_, **__: collecting.append(gc.isenabled()))
    LoadingOptions().load()
    assert collecting == [False]
    assert gc.isenabled()


def test_and_it_is_afterwards_when_there_is_none(tmp_path):
    with pytest.raises(ModelFileError, match="no such model file"):
        LoadingOptions(model=tmp_path / "none.onnx").load()
    assert gc.isenabled()
