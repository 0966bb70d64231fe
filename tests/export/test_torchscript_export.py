"""The TorchScript form keeps the same contract."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from asr_export import (
    Arithmetic,
    ExportError,
    ExportOptions,
    ParityError,
    Precision,
    export,
    open_model,
    read_card,
)
from asr_export.loading.model_files import load_torchscript
from asr_export.source.quantized_checkpoint import QuantizedCheckpoint
from asr_export.verification.check_export import check_export
from asr_train.checkpoints.checkpoint import Checkpoint, load_checkpoint
from asr_train.model.network import ResCNNBiGRU

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def exported(export_tiny: Callable[..., Path]) -> Path:
    return export_tiny("model.pt")


def test_it_gives_what_the_checkpoint_gives(exported: Path, loaded: Checkpoint) -> None:
    module, _ = load_torchscript(exported)
    samples, lengths = torch.randn(3, 20_000), torch.tensor([20_000, 5_000, 800])
    logprobs, frames = module(samples, lengths)
    wanted, wanted_frames = loaded.model(samples, lengths)
    assert torch.equal(frames, wanted_frames)
    torch.testing.assert_close(logprobs, wanted, atol=1e-4, rtol=0)


def test_card_and_report_are_there(exported: Path, loaded: Checkpoint) -> None:
    assert read_card(exported).checkpoint_sha256 == loaded.sha256
    assert json.loads(exported.with_name("model.pt.parity.json").read_text())["passed"]
    open_model(exported)


@pytest.mark.filterwarnings("ignore::torch.jit.TracerWarning")
def test_a_failed_check_leaves_no_file(
    loaded: Checkpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from asr_export.formats import torchscript as torchscript_export

    def frozen_size(network: ResCNNBiGRU) -> torch.jit.ScriptModule:
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
        return torch.jit.trace(Truncates(network), example)

    monkeypatch.setattr(torchscript_export, "to_torchscript", frozen_size)
    with pytest.raises(ParityError):
        export(loaded, tmp_path / "model.pt")
    assert list(tmp_path.iterdir()) == []


@pytest.fixture(scope="module")
def int8(tiny_checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("int8") / "model.pt"
    export(load_checkpoint(tiny_checkpoint), path, ExportOptions(Precision.int8))
    return path


class TestInt8:
    def test_the_card_tells_that_it_computes_in_int8(self, int8: Path) -> None:
        card = read_card(int8)
        assert (card.precision, card.arithmetic) == ("int8", "int8")
        assert "computed in int8" in (card.precision_note or "")

    def test_rounded_and_close(self, int8: Path, loaded: Checkpoint) -> None:
        module, _ = load_torchscript(int8)
        samples, lengths = torch.randn(1, 20_000), torch.tensor([20_000])
        difference = (module(samples, lengths)[0] - loaded.model(samples, lengths)[0]).abs()
        assert 1e-4 < difference.mean() < 0.2

    def test_padding_and_company_change_nothing(self, int8: Path) -> None:
        """PyTorch rounds by the range of the whole batch; here a loud neighbour is no matter."""
        module, _ = load_torchscript(int8)
        samples, lengths = 0.1 * torch.randn(3, 20_000), torch.tensor([20_000, 5_000, 800])
        samples[0] *= 10
        samples[1, 5_000:] = 1.0
        logprobs, frames = module(samples, lengths)
        assert logprobs.shape == (3, 42, 29)
        assert frames.tolist() == [42, 11, 2]
        for row, length in enumerate(lengths.tolist()):
            alone, _ = module(samples[row : row + 1, :length], lengths[row : row + 1])
            assert torch.equal(logprobs[row, : frames[row]], alone[0])
            assert (logprobs[row, frames[row] :].argmax(dim=1) == 28).all()

    def test_another_models_weights_are_found_out(self, int8: Path, loaded: Checkpoint) -> None:
        def passes() -> bool:
            options = ExportOptions(Precision.int8, Arithmetic.int8)
            source = QuantizedCheckpoint(loaded, options)
            return check_export(source, open_model(int8).backend, batches=[(0.5,)]).passed

        assert passes()
        with torch.no_grad():
            loaded.model.gru_blocks[1].gru.backward_gru.weight_hh_l0[3] *= 1.1
        assert not passes()

    def test_inspect_sees_what_computes_in_int8(self, asr_export: Run, int8: Path) -> None:
        code, stdout, _ = asr_export("inspect", int8, "--json")
        operators = json.loads(stdout)["operators"]
        assert code == 0
        assert operators["quantized_gru"] == 4
        assert operators["quantized::linear_dynamic"] == 3

    def test_verify_command(self, asr_export: Run, tiny_checkpoint: Path, int8: Path) -> None:
        code, stdout, stderr = asr_export("verify", tiny_checkpoint, int8)
        assert (code, stderr) == (0, "")
        assert "rounding to int8" in stdout

    def test_there_is_no_float16(self, loaded: Checkpoint, tmp_path: Path) -> None:
        with pytest.raises(ExportError, match="fp32 and int8"):
            export(loaded, tmp_path / "model.pt", ExportOptions(Precision.fp16))
        assert list(tmp_path.iterdir()) == []
