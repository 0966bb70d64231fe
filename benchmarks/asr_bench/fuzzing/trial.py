"""What the runtime does with one file, in a process of its own with limits."""

from __future__ import annotations

import os
import sys
import tempfile
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import IO

import numpy as np

import asr_runtime
from asr_bench.fuzzing.seeds import AUDIO, LANGUAGE_MODELS, MODELS
from asr_runtime import AsrRuntimeError, BeamConfig, Recognizer
from asr_runtime.decoding.beam_decoder import BeamDecoder
from asr_runtime.language.language_model_file import read_language_model
from asr_runtime.model_file.contract import SAMPLE_RATE

OK = "transcribed"
#: Kinds of outcomes that should not be.
CRASH, HANG, MEMORY, BUG, NOISE = "crash", "hang", "memory", "bug", "noise"

_MEMORY_WORDS = ("memory does not suffice", "allocate memory", "bad_alloc", "bad allocation")


@dataclass(frozen=True)
class Outcome:
    """What became of one file.

    Attributes:
        kind: OK, the name of an ``AsrRuntimeError``, or what should not be.
        message: Message of the error; of a bug, with its traceback.
    """

    kind: str
    message: str = ""

    @property
    def is_finding(self) -> bool:
        """Is it something that should not be?"""
        return self.kind in (CRASH, HANG, MEMORY, BUG, NOISE)


def serve(connection: Connection, target: str, valid: Path, memory_bytes: int) -> None:
    """Try the files whose paths come through the connection until it closes; answer each.

    Args:
        connection: Paths in, ``Outcome`` out.
        target: The kind of file.
        valid: A file of that kind; it takes the process to its usual size.
        memory_bytes: Address space that a file may take beyond that.
    """
    trial = _trials(target)
    with tempfile.TemporaryFile("w+b") as complaints:
        # Libraries write there on their own; a traceback among it is an error that nobody sees.
        os.dup2(complaints.fileno(), 2)
        trial(valid)
        _limit_memory(memory_bytes)
        while True:
            try:
                path = connection.recv()
            except EOFError:
                return
            connection.send(_outcome(trial, Path(path), complaints))


def _outcome(trial: Callable[[Path], object], path: Path, complaints: IO[bytes]) -> Outcome:
    os.ftruncate(complaints.fileno(), 0)
    os.lseek(complaints.fileno(), 0, os.SEEK_SET)
    try:
        trial(path)
    except AsrRuntimeError as error:
        message = error.problem
        memory = any(words in message for words in _MEMORY_WORDS)
        outcome = Outcome(MEMORY if memory else _public_name(error), message)
    except MemoryError:
        outcome = Outcome(MEMORY, traceback.format_exc())
    except Exception:
        outcome = Outcome(BUG, traceback.format_exc())
    else:
        outcome = Outcome(OK)
    complaints.seek(0)
    said = complaints.read(10_000).decode(errors="replace")
    if "Traceback" in said and not outcome.is_finding:
        return Outcome(NOISE, said)
    return outcome


def _public_name(error: AsrRuntimeError) -> str:
    """The kind that users of the package catch; within it there may be finer ones."""
    public = (kind.__name__ for kind in type(error).__mro__)
    return next(name for name in public if name in asr_runtime.__all__)


def _trials(target: str) -> Callable[[Path], object]:
    if target == MODELS:
        return _try_model
    if target == AUDIO:
        recognizer = Recognizer.load(device="cpu", threads=1, decoder="greedy")
        return recognizer.transcribe
    assert target == LANGUAGE_MODELS
    return _try_language_model


def _try_model(path: Path) -> None:
    recognizer = Recognizer.load(path, device="cpu", threads=1, decoder="greedy")
    noise = np.random.default_rng(1).normal(0, 0.1, SAMPLE_RATE).astype(np.float32)
    recognizer.transcribe(noise, SAMPLE_RATE).to_dict()


def _try_language_model(path: Path) -> None:
    vocabulary = ["'", " ", *"abcdefghijklmnopqrstuvwxyz", "<blk>"]
    decoder = BeamDecoder(
        read_language_model(path), vocabulary, 28, ["asr"], BeamConfig(beam_size=20)
    )
    logits = 3 * np.random.default_rng(1).standard_normal((60, len(vocabulary)))
    decoder.decode(logits - np.log(np.exp(logits).sum(axis=1, keepdims=True)), 0.03)


def _limit_memory(memory_bytes: int) -> None:
    if sys.platform != "linux":  # others count address space differently, or have no limit
        return
    import resource

    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + memory_bytes, used + memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
