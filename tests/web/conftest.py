"""Node, a browser and a page to test with; whatever is missing skips the tests that need it."""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from asr_runtime import Recognizer
from asr_runtime.model_file.word_calibration import WordCalibration

ROOT = Path(__file__).parents[2]
WEB = ROOT / "runtime" / "web"
PAGE = ROOT / "asr_export" / "web" / "page"
SMALL_LANGUAGE_MODEL = ROOT / "runtime" / "language_models" / "english-small.lm"
CLIP = ROOT / "runtime" / "demo" / "demo.flac"
SAMPLE_RATE = 16_000


def neighbour(name: str) -> Any:
    """A module beside this one."""
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, Path(__file__).parent / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def node() -> str:
    program = shutil.which("node")
    if program is None:
        pytest.skip("node is not installed")
    return program


@pytest.fixture(scope="session")
def node_modules() -> Path:
    modules = WEB / "node_modules"
    if not (modules / "onnxruntime-web").is_dir():
        pytest.skip("npm's packages are not installed; run: npm ci --prefix runtime/web")
    return modules


@pytest.fixture(scope="session")
def decode(node: str, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., list[Any]]:
    """Decodes log-probabilities with the built bundle: ``decode(card, cases, language_model)``."""

    def run(
        card: Any,
        cases: list[dict[str, Any]],
        language_model: Path | None,
        calibration: WordCalibration | None = None,
    ) -> list[Any]:
        folder = tmp_path_factory.mktemp("decode")
        for index, case in enumerate(cases):
            rows = case["rows"]
            case |= {"rows": f"{index}.bin", "width": rows.shape[1]}
            rows.astype("<f4").tofile(folder / case["rows"])
        request = {
            "bundle": str(PAGE / "recognizer.js"),
            "language_model": language_model and str(language_model),
            "vocabulary": card.vocabulary,
            "blank_id": card.blank_id,
            "seconds": card.seconds_per_frame,
            "calibration": calibration and calibration.to_dict(),
            "cases": cases,
        }
        (folder / "request.json").write_text(json.dumps(request))
        done = subprocess.run(
            [node, WEB / "test" / "decode.mjs", folder / "request.json"],
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        answers: list[Any] = json.loads(done.stdout)
        return answers

    return run


@pytest.fixture
def ask(node: str, tmp_path: Path) -> Callable[..., list[Any]]:
    """Answers to some cases, ``ask({"operation": NAME, …}, …)``; files lie in ``tmp_path``."""

    def run(*cases: dict[str, Any]) -> list[Any]:
        request = tmp_path / "request.json"
        request.write_text(json.dumps({"bundle": str(PAGE / "recognizer.js"), "cases": cases}))
        done = subprocess.run(
            [node, "--no-warnings", WEB / "test" / "parts.mjs", request],
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        answers: list[Any] = json.loads(done.stdout)
        return answers

    return run


@pytest.fixture(scope="session")
def spoil() -> Callable[[np.ndarray, float], np.ndarray]:
    """Log-probabilities as of unclear speech, in which the search has much to weigh."""

    def spoiled(rows: np.ndarray, strength: float) -> np.ndarray:
        noise = np.random.default_rng(3).normal(0, strength, rows.shape).astype(np.float32)
        parts = []
        for begin, end in ((0, 29), (29, rows.shape[1])):
            part = rows[:, begin:end] * np.float32(0.6) + noise[:, begin:end]
            if part.shape[1]:
                parts.append(part - np.log(np.exp(part).sum(axis=1, keepdims=True)))
        return np.concatenate(parts, axis=1)

    return spoiled


@pytest.fixture(scope="session")
def beam() -> Recognizer:
    return Recognizer.load(device="cpu", threads=1, language_model=SMALL_LANGUAGE_MODEL)


@pytest.fixture(scope="session")
def greedy() -> Recognizer:
    return Recognizer.load(device="cpu", threads=1, decoder="greedy")


@pytest.fixture(scope="session")
def demo() -> np.ndarray:
    """The demo clip's samples, mono at 16 kHz."""
    samples, rate = soundfile.read(CLIP, dtype="float32")
    assert rate == SAMPLE_RATE
    return samples


@pytest.fixture(scope="session")
def make_page(
    node_modules: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[Path | None], Path]:
    """Writes the folder of a page with the packaged model and some language model."""
    from asr_export.formats.registry import read_card
    from asr_export.web.packaged import known_words_wrong
    from asr_export.web.page_folder import write_page
    from asr_runtime.recognizer import DEFAULT_MODEL

    def make(language_model: Path | None) -> Path:
        folder = tmp_path_factory.mktemp("page") / "page"
        card = read_card(DEFAULT_MODEL)
        rates = known_words_wrong(card, language_model)
        write_page(folder, DEFAULT_MODEL, card, language_model, node_modules, rates)
        return folder

    return make


@pytest.fixture(scope="session")
def page(make_page: Callable[[Path | None], Path]) -> Path:
    """The folder of a page with the small language model."""
    return make_page(SMALL_LANGUAGE_MODEL)


@pytest.fixture(scope="module")
def server(page: Path) -> Iterator[Any]:
    """Serves the page; a test may shut it down."""
    from asr_export.web.server import page_server

    with page_server(page, 0) as running:
        thread = threading.Thread(target=running.serve_forever, daemon=True)
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@pytest.fixture(scope="session")
def start_chromium() -> Callable[..., Any]:
    """Starts a browser: ``start_chromium(profile, microphone=WAV)``."""
    chromium = neighbour("chromium")
    program = chromium.find_chromium()
    if program is None:
        pytest.skip("no Chromium: install it, or name it in the variable CHROMIUM")
    pytest.importorskip("websockets")

    def start(profile: Path, **options: Any) -> Any:
        return chromium.Chromium(program, profile, **options)

    return start


@pytest.fixture(scope="module")
def browser(
    server: Any,
    demo: np.ndarray,
    start_chromium: Callable[..., Any],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Any]:
    """A browser at the page, ready; its microphone hears the demo clip amid silence."""
    folder = tmp_path_factory.mktemp("browser")
    silence = np.zeros(2 * SAMPLE_RATE, np.float32)
    heard = folder / "microphone.wav"
    soundfile.write(heard, np.concatenate((silence, demo, silence)), SAMPLE_RATE)
    running = start_chromium(folder / "profile", microphone=heard)
    try:
        running.look(1100, 900)
        running.open(f"http://127.0.0.1:{server.server_port}/")
        running.until("document.documentElement.dataset.state === 'ready'")
        yield running
    finally:
        running.close()
