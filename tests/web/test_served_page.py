"""``asr-serve --web`` serves the page of ``asr-export web``, and the page transcribes there."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from asr_export.web.headers import HEADERS
from asr_runtime import Recognizer

httpx = pytest.importorskip("httpx")
for needed in ("fastapi", "uvicorn", "multipart", "prometheus_client"):
    pytest.importorskip(needed, reason=f"asr-serve needs {needed}")

READY = "document.documentElement.dataset.state === 'ready'"


@pytest.fixture(scope="module")
def address(page: Path) -> Iterator[str]:
    """Where ``asr-serve`` serves the page."""
    server = subprocess.Popen(
        [sys.executable, "-m", "asr_runtime.serve", "--port", "0", "--web", str(page)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert server.stdout is not None
    with server, server.stdout:
        yield server.stdout.readline().split()[-1]
        server.terminate()


def test_its_files_come_as_what_they_are(address: str, page: Path) -> None:
    kinds = {
        ".html": "text/html",
        ".css": "text/css",
        ".js": "text/javascript",
        ".mjs": "text/javascript",
        ".wasm": "application/wasm",
        ".svg": "image/svg+xml",
        ".json": "application/json",
        ".webmanifest": "application/manifest+json",
    }
    files = [file for file in page.rglob("*") if file.is_file()]
    assert {file.suffix for file in files} >= {".html", ".js", ".wasm", ".onnx", ".lm"}
    with httpx.Client(base_url=address) as client:
        for file in files:
            answer = client.get("/" + file.relative_to(page).as_posix())
            assert answer.status_code == 200
            assert answer.content == file.read_bytes()
            if file.suffix in kinds:
                assert answer.headers["content-type"].partition(";")[0] == kinds[file.suffix]
            for name, value in HEADERS.items():
                assert answer.headers[name] == value
        assert client.get("/").text == (page / "index.html").read_text("utf-8")
        assert client.get("/none.js").status_code == 404
        assert client.get("/healthz").text == "ok\n"
        assert client.get("/%2e%2e/%2e%2e/etc/passwd").status_code == 404


def test_the_page_transcribes(
    address: str,
    start_chromium: Callable[..., Any],
    beam: Recognizer,
    demo: np.ndarray,
    tmp_path: Path,
) -> None:
    wav = tmp_path / "demo.wav"
    soundfile.write(wav, demo, 16_000)
    browser = start_chromium(tmp_path / "profile")
    try:
        browser.open(address + "/")
        browser.until(READY)
        browser.run("document.documentElement.dataset.state = 'asked'")
        browser.choose_file("#file", wav)
        browser.until(READY)
        shown = browser.run(
            "[...document.querySelectorAll('#transcript p')]"
            ".map((each) => each.textContent.trim()).join(' ')"
        )
    finally:
        browser.close()
    assert shown == beam.transcribe(demo, 16_000).text
