import gc

import numpy as np
import pytest
import torch

from asr_bench.measuring.roofline import matrix_products
from asr_bench.measuring.timing import measuring, rotated


def test_rotation_is_a_circle() -> None:
    orders = ["".join(rotated("abc", index)) for index in range(-2, 5)]
    assert orders == ["bca", "cab", "abc", "bca", "cab", "abc", "bca"]


def test_threads_and_collector_are_restored_even_on_failure() -> None:
    before = torch.get_num_threads()

    def fail() -> None:
        with measuring(before + 1):
            assert torch.get_num_threads() == before + 1
            assert not gc.isenabled()
            raise RuntimeError("disturbed")

    with pytest.raises(RuntimeError, match="disturbed"):
        fail()
    assert torch.get_num_threads() == before
    assert gc.isenabled()


def test_both_libraries_compute_the_same_product() -> None:
    product = matrix_products(1, size=48)
    by_torch, by_onnxruntime = (candidate.run() for candidate in product.candidates)
    assert product.operations == 2 * 48**3
    np.testing.assert_allclose(by_torch.numpy(), by_onnxruntime[0], atol=1e-4)
