import gc

import pytest
import torch

from asr_bench.measuring.timing import Contender, interleave, measuring, rotated


def test_order_is_rotated_every_round_and_warm_up_is_left_out(machine) -> None:
    contenders = [
        Contender("a", machine.program("a", [50, 1, 2, 3])),
        Contender("b", machine.program("b", [50, 10, 20, 30])),
        Contender("c", machine.program("c", [50, 5, 6, 7])),
    ]
    samples = interleave(contenders, rounds=3, warmup=1, clock=machine.clock, settle=lambda: None)
    assert samples == {"a": (1, 2, 3), "b": (10, 20, 30), "c": (5, 6, 7)}
    assert "".join(machine.ran) == "cab" + "abc" + "bca" + "cab"


def test_settling_comes_before_every_run_and_is_not_timed(machine) -> None:
    def settle() -> None:
        machine.ran.append("settle")
        machine.now += 1000

    contenders = [Contender("a", machine.program("a", [1, 2]))]
    samples = interleave(contenders, rounds=2, warmup=0, clock=machine.clock, settle=settle)
    assert samples == {"a": (1, 2)}
    assert machine.ran == ["settle", "a", "settle", "a"]


def test_every_round_is_announced(machine) -> None:
    announced = []
    contenders = [Contender(name, machine.program(name, [1] * 5)) for name in "ab"]
    interleave(
        contenders,
        rounds=3,
        warmup=2,
        clock=machine.clock,
        settle=lambda: None,
        after_round=lambda: announced.append(len(machine.ran)),
    )
    assert announced == [2, 4, 6, 8, 10]


def test_rotation_is_a_circle() -> None:
    contenders = [Contender(name, int) for name in "abc"]
    orders = ["".join(one.name for one in rotated(contenders, number)) for number in range(-2, 5)]
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
