"""The TorchScript form keeps the same contract."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from asr_export.backends import load_backend, load_torchscript, read_card
from asr_export.errors import ParityError
from asr_export.torchscript_export import export_torchscript
from asr_train.checkpoint import Checkpoint, load_checkpoint
from asr_train.model import ResCNNBiGRU


@pytest.fixture(scope="module")
def exported(tiny_checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("exported") / "model.pt"
    export_torchscript(load_checkpoint(tiny_checkpoint), path)
    return path


def test_it_gives_what_the_checkpoint_gives(exported: Path, loaded: Checkpoint) -> None:
    module, _ = load_torchscript(exported)
    samples, lengths = torch.randn(3, 20_000), torch.tensor([20_000, 5_000, 800])
    logprobs, frames = module(samples, lengths)
    wanted, wanted_frames = loaded.model(samples, lengths)
    assert torch.equal(frames, wanted_frames)
    torch.testing.assert_close(logprobs, wanted, atol=1e-4, rtol=0)


def test_card_and_report_are_there(exported: Path, loaded: Checkpoint) -> None:
    assert read_card(exported)["checkpoint_sha256"] == loaded.sha256
    assert json.loads(exported.with_name("model.pt.parity.json").read_text())["passed"]
    load_backend(exported)


def test_a_failed_check_leaves_no_file(
    loaded: Checkpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from asr_export import torchscript_export

    def frozen_size(checkpoint: Checkpoint) -> torch.jit.ScriptModule:
        class Truncates(torch.nn.Module):
            def __init__(self, model: ResCNNBiGRU) -> None:
                super().__init__()
                self.model = model

            def forward(
                self, values: torch.Tensor, lengths: torch.Tensor
            ) -> tuple[torch.Tensor, torch.Tensor]:
                logprobs, frames = self.model(values, lengths)
                return logprobs[:, :67], frames

        example = (torch.zeros(1, 32_000), torch.tensor([32_000]))
        return torch.jit.trace(Truncates(checkpoint.model), example)

    monkeypatch.setattr(torchscript_export, "to_torchscript", frozen_size)
    with pytest.raises(ParityError):
        export_torchscript(loaded, tmp_path / "model.pt")
    assert list(tmp_path.iterdir()) == []
