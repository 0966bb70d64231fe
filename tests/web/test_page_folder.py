"""`asr-export web`: what it writes and refuses. ONNX Runtime's files are stand-ins here."""

from __future__ import annotations

import hashlib
import json
import subprocess
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from asr_export.cli import main
from asr_export.web import onnxruntime_files, packaged
from asr_export.web.headers import HEADERS
from asr_export.web.onnxruntime_files import PAGE, OnnxRuntimeFiles
from asr_export.web.server import page_server

ROOT = Path(__file__).parents[2]
WEB = ROOT / "runtime" / "web"
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which onnxruntime-web seems to be installed."""
    dist = tmp_path / "npm" / "node_modules" / "onnxruntime-web" / "dist"
    dist.mkdir(parents=True)
    checksums = {}
    for name in OnnxRuntimeFiles.expected().sha256:
        (dist / name).write_bytes(name.encode())
        checksums[name] = hashlib.sha256(name.encode()).hexdigest()
    stand_in = OnnxRuntimeFiles("9.9.9", checksums)
    monkeypatch.setattr(
        onnxruntime_files.OnnxRuntimeFiles, "expected", classmethod(lambda cls: stand_in)
    )
    return tmp_path / "npm"


def test_the_default_page(runtime: Path, tmp_path: Path, run_command_line: Run) -> None:
    out = tmp_path / "page"
    code, said, _ = run_command_line(
        main, "web", "default", out, "--onnxruntime-web", runtime, "--language-model", "small"
    )
    assert code == 0
    assert said.startswith(f"wrote {out} (15.")
    listed = json.loads((out / "files.json").read_text())
    assert (listed["model"], listed["languageModel"]) == ("edge.onnx", "english-small.lm")
    assert listed["wordsWrong"]["beam"] == packaged.BEAM_WORDS_WRONG["english-small.lm"]
    model = ROOT / "runtime" / "asr_runtime" / "models" / "edge.onnx"
    assert (out / "edge.onnx").read_bytes() == model.read_bytes()
    for name, size in listed["bytes"].items():
        if name != "service_worker.js":
            assert (out / name).stat().st_size == size
    # The service worker knows this very content, so that another one replaces it.
    assert listed["version"] in (out / "service_worker.js").read_text()
    for name, value in HEADERS.items():
        assert f"  {name}: {value}\n" in (out / "_headers").read_text()


def test_another_model_takes_the_place_of_a_page(
    runtime: Path, tmp_path: Path, tiny_checkpoint: Path, run_command_line: Run, traced_once: None
) -> None:
    out = tmp_path / "page"
    options = ("--onnxruntime-web", runtime)
    assert run_command_line(main, "web", "default", out, *options)[0] == 0
    before = json.loads((out / "files.json").read_text())["version"]
    code, _, told = run_command_line(main, "web", tiny_checkpoint, out, *options)
    assert code == 0
    assert "decodes by ear" in told
    listed = json.loads((out / "files.json").read_text())
    assert listed["version"] != before
    assert (listed["model"], listed["languageModel"]) == ("model.onnx", None)
    assert not list(out.glob("*.lm"))
    assert not (out / "edge.onnx").exists()


def test_what_is_missing_is_one_line(tmp_path: Path, run_command_line: Run) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter.txt").write_text("dear")
    (tmp_path / "empty").mkdir()
    page = tmp_path / "page"
    cases = [
        (("default", page, "--onnxruntime-web", tmp_path / "empty"), "run: npm install"),
        (("default", tmp_path / "full"), "holds other files"),
        (("default", page, "--language-model", tmp_path / "no.lm"), "no such language model"),
    ]
    for arguments, expected in cases:
        code, _, told = run_command_line(main, "web", *arguments)
        assert code == 1
        assert told.count("\n") == 1
        assert expected in told
    assert (tmp_path / "full" / "letter.txt").read_text() == "dear"
    assert not page.exists()


def test_files_of_another_version_are_refused(
    runtime: Path, tmp_path: Path, run_command_line: Run
) -> None:
    next(runtime.rglob("*.wasm")).write_bytes(b"of another time")
    code, _, told = run_command_line(
        main, "web", "default", tmp_path / "page", "--onnxruntime-web", runtime
    )
    assert code == 1
    assert "another version; run: npm install onnxruntime-web@9.9.9" in told


def test_the_server_sends_the_headers(tmp_path: Path) -> None:
    import threading

    (tmp_path / "part.wasm").write_bytes(b"\0asm")
    with page_server(tmp_path, 0) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}/part.wasm"
        with urllib.request.urlopen(address, timeout=30) as answer:
            assert answer.headers["Content-Type"] == "application/wasm"
            assert {name: answer.headers[name] for name in HEADERS} == HEADERS
        server.shutdown()


def test_the_pages_own_policy_is_the_servers() -> None:
    html = (PAGE / "index.html").read_text(encoding="utf-8")
    # Which pages may frame this one, a page cannot say of itself.
    policy = HEADERS["Content-Security-Policy"].removesuffix("; frame-ancestors 'none'")
    assert f'content="{policy}"' in html


def test_what_is_said_of_errors_is_in_the_model_card() -> None:
    card = (ROOT / "runtime" / "asr_runtime" / "models" / "MODEL_CARD.md").read_text("utf-8")
    [row] = [line for line in card.splitlines() if line.startswith("| as recorded |")]
    for rate in packaged.BEAM_WORDS_WRONG.values():
        assert f"{100 * rate:.1f} %" in row
    model = ROOT / "runtime" / "asr_runtime" / "models" / "edge.onnx"
    assert packaged.MEASURED_CHECKPOINT.encode() in model.read_bytes()


def test_the_built_page_is_up_to_date(node: str, node_modules: Path, tmp_path: Path) -> None:
    subprocess.run(
        [node, WEB / "build.mjs", "--out", tmp_path / "page"], check=True, capture_output=True
    )
    for built in (tmp_path / "page").iterdir():
        committed = PAGE / built.name
        assert committed.read_bytes() == built.read_bytes(), "run: npm run build"
    assert {path.name for path in PAGE.iterdir()} == {
        path.name for path in (tmp_path / "page").iterdir()
    }


def test_the_sources_are_typed(node: str, node_modules: Path) -> None:
    for project in ("tsconfig.json", "tsconfig.workers.json"):
        done = subprocess.run(
            [node, node_modules / "typescript" / "bin" / "tsc", "--noEmit", "-p", WEB / project],
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout
