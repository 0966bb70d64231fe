"""An engine for the tests: its "model" is what it should do. The worker imports this file."""

from __future__ import annotations

import os
import sys
import time
from dataclasses import dataclass
from typing import Any

from asr_bench.engines.engine import Engine, LoadedModel


@dataclass(frozen=True)
class FakeEngine(Engine):
    distributions = ("numpy",)
    modules = ("json",)
    takes_batches = True

    behaviour: str
    prefix: str = "fake"

    @property
    def name(self) -> str:
        return f"{self.prefix} {self.behaviour}"

    @property
    def model_name(self) -> str:
        return self.behaviour

    def load(self, threads: int) -> LoadedModel:
        if self.behaviour == "broken model":
            raise ValueError("the model is broken")
        time.sleep(0.05)
        fake = FakeTranscriber(self.behaviour, threads)
        return LoadedModel(fake.transcribe, fake.transcribe_batch)


class FakeTranscriber:
    def __init__(self, behaviour: str, threads: int) -> None:
        self._behaviour = behaviour
        self._threads = threads

    def transcribe(self, samples: Any) -> str:
        match self._behaviour:
            case "sleeps":
                time.sleep(0.4)
            case "works":
                end = time.thread_time() + 0.1
                while time.thread_time() < end:
                    pass
            case "dies":
                print("about to die", file=sys.stderr)
                os._exit(3)
            case "is killed":
                os.kill(os.getpid(), 9)
            case "hangs":
                time.sleep(600)
            case "tells its number":
                return str(os.getpid())
            case "tells whether it keeps bytecode":
                return str(not sys.dont_write_bytecode)
            case "prints":
                print("from Python")
                os.write(1, b"from C\n")
            case "raises":
                raise RuntimeError("no words today")
        return f"{len(samples)} samples, {self._threads} threads, {os.environ['OMP_NUM_THREADS']}"

    def transcribe_batch(self, items: Any) -> list[str]:
        return [self.transcribe(samples) for samples in items]
