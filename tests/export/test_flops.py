import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from asr_export.inspection.flops import OperationCount, count_operations, operations_per_second
from asr_train.model.config import SAMPLE_RATE, ModelConfig, preset
from asr_train.model.network import ResCNNBiGRU


@pytest.fixture(scope="module")
def tiny() -> ModelConfig:
    """Small enough to count by hand."""
    return ModelConfig(
        n_mels=4,
        n_fft=16,
        hop_length=8,
        channels=2,
        residual_blocks=1,
        time_stride=2,
        mel_stride=2,
        rnn_dim=3,
        gru_hidden=5,
        gru_layers=2,
    )


def test_hand_computed_count(tiny: ModelConfig) -> None:
    # 40 samples: 6 mel frames, 3 network frames; 9 bins; 2 of the 4 mels are left.
    assert count_operations(tiny, 40) == OperationCount(
        front_end=2 * 6 * (16 * 18 + 9 * 4),
        convolutions=2 * 3 * (9 * 2 * 2 + 2 * 9 * 2 * 2 * 2),
        linear=2 * 3 * (4 * 3 + 10 * 3 + 3 * 29),
        gru_input=2 * 3 * 2 * 3 * 5 * (3 + 10),
        gru_recurrent=2 * 3 * 2 * 3 * 5 * (5 + 5),
    )
    assert count_operations(tiny, 40).total == 3888 + 1080 + 774 + 2340 + 1800


@pytest.mark.parametrize(
    "overrides",
    [
        {},
        {"mel_stride": 3, "time_stride": 1, "gru_layers": 1},
        {"residual_blocks": 0, "n_mels": 7, "channels": 3},
    ],
)
@pytest.mark.parametrize("samples", [40, 1003])
def test_agrees_with_torch(tiny: ModelConfig, overrides: dict[str, int], samples: int) -> None:
    config = ModelConfig.from_dict({**tiny.to_dict(), **overrides})
    model = ResCNNBiGRU(config).eval()
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model(torch.zeros(1, samples), torch.tensor([samples]))
    counts = {str(operator): n for operator, n in counter.get_flop_counts()["Global"].items()}
    ours = count_operations(config, samples)
    assert counts.pop("aten.convolution") == ours.front_end + ours.convolutions
    # Linear layers and, taken apart into products, the GRUs.
    assert sum(counts.values()) == ours.linear + ours.gru_input + ours.gru_recurrent


def test_a_long_recording_approaches_the_rate_of_a_second() -> None:
    config, seconds = preset("edge"), 1000
    whole = count_operations(config, seconds * SAMPLE_RATE)
    rate = operations_per_second(config)
    for part, count in whole.parts().items():
        assert count / seconds == pytest.approx(rate.parts()[part], rel=1e-4)
    assert rate.total == pytest.approx(sum(rate.parts().values()))
