"""Ctrl-C and SIGTERM as the end of live audio."""

import signal

import pytest

from asr_runtime.command.interruption import Interrupted, Interruption


def test_work_is_completed_first():
    done = []
    with Interruption() as interruption:
        signal.raise_signal(signal.SIGINT)
        done.append("work")
        with pytest.raises(Interrupted), interruption.waiting():
            done.append("wait")
        # The second one has its usual effect.
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert done == ["work"]
    assert interruption.signal == signal.SIGINT


def test_ignored_signals_stay_ignored():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with Interruption() as interruption, interruption.waiting():
            signal.raise_signal(signal.SIGINT)
        assert interruption.signal is None
    finally:
        signal.signal(signal.SIGINT, before)
