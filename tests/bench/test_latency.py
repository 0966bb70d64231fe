import dataclasses

import numpy as np
import pytest

from asr_bench.errors import BenchError
from asr_bench.measuring.roofline import Roofline, matrix_products
from asr_bench.measuring.statistics import faster_engine, sgemm_rates, summarise
from asr_bench.measuring.timing import Contender
from asr_bench.model_forms.latency import Cell, LatencySettings, measure_latency
from asr_bench.model_forms.subjects import EAGER, ONNX
from asr_export.inspection.flops import count_operations
from asr_train.model.config import SAMPLE_RATE


def test_samples_of_a_cell(cells, tiny) -> None:
    (cell,) = cells
    assert (cell.model, cell.threads, cell.duration) == ("tiny", 1, 4.0)
    assert cell.latencies == {EAGER: (2, 2, 8), ONNX: (1, 1, 4)}
    assert cell.sgemm["fast sgemm"] == pytest.approx((1e10, 1e10, 2.5e9))
    assert cell.operations == count_operations(tiny, 4 * SAMPLE_RATE).total


def test_backends_and_matrix_products_share_the_rounds(cells, machine) -> None:
    names = [EAGER, ONNX, "slow sgemm", "fast sgemm"]
    rounds = [machine.ran[start : start + 4] for start in range(0, 16, 4)]
    assert rounds == [names[k:] + names[:k] for k in (3, 0, 1, 2)]


def test_every_backend_hears_the_same_utterance(subject, settings) -> None:
    heard = {}

    def listener(name):
        def run(values, lengths):
            heard[name] = (values.copy(), lengths.tolist(), values.dtype)
            return values, lengths

        return run

    listening = dataclasses.replace(
        subject, backends={1: {name: listener(name) for name in (EAGER, ONNX)}}
    )
    product = Roofline((Contender("sgemm", int),), 1.0)
    measure_latency(listening, settings, roofline=lambda threads: product, settle=lambda: None)
    values, lengths, dtype = heard[EAGER]
    assert values.shape == (1, 4 * SAMPLE_RATE)
    assert lengths == [4 * SAMPLE_RATE]
    assert dtype == np.float32
    assert np.abs(values).max() > 0.01
    assert np.array_equal(values, heard[ONNX][0])


def test_figures_of_a_row(cells) -> None:
    (cell,) = cells
    eager, onnx = summarise(cell)
    assert (eager.backend, onnx.backend) == (EAGER, ONNX)
    assert eager.samples_ms == (2000, 2000, 8000)
    assert (eager.median_ms, eager.min_ms) == (2000, 2000)
    assert eager.p95_ms == pytest.approx(2000 + 0.9 * 6000)
    assert eager.real_time_factor == 0.5
    assert eager.gflops == pytest.approx(cell.operations / 2 / 1e9)
    assert onnx.gflops == pytest.approx(cell.operations / 1 / 1e9)


def test_ratios_are_paired_within_rounds() -> None:
    # The machine slows down from round to round: ratios of medians would both be 2/3.
    cell = Cell(
        model="m",
        threads=1,
        duration=1.0,
        operations=10.0,
        latencies={EAGER: (1, 3, 9), "other": (0.5, 2, 4.5)},
        sgemm={"sgemm": (100, 5, 2)},
    )
    eager, other = summarise(cell)
    assert eager.ratio_to_eager == 1
    assert other.ratio_to_eager == 0.5
    # 10 operations in 0.5, 2 and 4.5 s are 20, 5, 2.2 a second: 0.2, 1 and 1.1 of the rate.
    assert other.sgemm_fraction == 1
    assert eager.sgemm_fraction == pytest.approx(10 / 9 / 2)


def test_the_faster_engine_counts(cells) -> None:
    (cell,) = cells
    assert faster_engine(cell) == "fast sgemm"
    onnx = summarise(cell)[1]
    assert onnx.sgemm_fraction == pytest.approx(cell.operations / 1e10)
    other = dataclasses.replace(cell, threads=2, sgemm={"slow sgemm": (9e10, 9e10, 9e10)})
    assert sgemm_rates([cell, other], 1) == pytest.approx({"fast sgemm": 10, "slow sgemm": 5})
    assert next(iter(sgemm_rates([cell, other], 1))) == "fast sgemm"
    assert sgemm_rates([cell, other], 2) == pytest.approx({"slow sgemm": 90})


@pytest.mark.parametrize(
    ("samples", "overloaded", "noisy"),
    [
        ((1.0, 1.0, 1.0), False, False),
        ((1.0, 1.0, 1.0), True, True),
        ((1.0, 1.0, 1.5), False, False),  # p95 1.45
        ((1.0, 1.0, 1.6), False, True),  # p95 1.54
    ],
)
def test_noise(samples, overloaded, noisy) -> None:
    cell = Cell("m", 1, 1.0, 1.0, {EAGER: samples}, {"sgemm": (1.0, 1.0, 1.0)})
    assert [row.noisy for row in summarise(cell, overloaded=overloaded)] == [noisy]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"durations": (1.0, 0.0)}, "duration must be more than 0"),
        ({"durations": (-1.0,)}, "not -1"),
        ({"durations": (float("nan"),)}, "not nan"),
        ({"durations": (float("inf"),)}, "not inf"),
        ({"durations": (1e-9,)}, "duration must be"),
        ({"threads": (0,)}, "threads must be 1 to"),
        ({"threads": (1_000_000,)}, "not 1000000"),
        ({"rounds": 0}, "rounds must be 1 or more"),
        ({"warmup": -1}, "warmup must be 0 or more"),
    ],
)
def test_settings_that_make_no_sense(settings, change, message) -> None:
    with pytest.raises(BenchError, match=message):
        dataclasses.replace(settings, **change)


def test_rounds_in_all() -> None:
    assert LatencySettings((1.0, 2.0, 3.0), (1,), rounds=4, warmup=1).rounds_in_all == 15


def test_both_engines_compute_the_same_product() -> None:
    product = matrix_products(1, size=48)
    by_torch, by_onnxruntime = (contender.run() for contender in product.contenders)
    assert product.operations == 2 * 48**3
    np.testing.assert_allclose(by_torch.numpy(), by_onnxruntime[0], atol=1e-4)
