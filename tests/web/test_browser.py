"""The page in a real browser: its text is `asr-run`'s, nothing leaves it, and people can use it."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from asr_runtime import Recognizer
from asr_runtime.transcript import Transcript

SAMPLE_RATE = 16_000
DEMO = Path(__file__).parents[2] / "runtime" / "demo" / "demo.flac"
READY = "document.documentElement.dataset.state === 'ready'"


def give(browser: Any, path: Path, decoder: str = "beam", *, drop: bool = False) -> str:
    """Let the page transcribe a file; gives its text."""
    browser.run(f"document.getElementById('decoder').value = {decoder!r}")
    browser.run("document.documentElement.dataset.state = 'asked'")
    if drop:
        browser.drop_file("#drop", path)
    else:
        browser.choose_file("#file", path)
    browser.until(READY)
    return text(browser)


def text(browser: Any) -> str:
    paragraphs = "[...document.querySelectorAll('#transcript p')]"
    found = browser.run(f"{paragraphs}.map((each) => each.textContent.trim()).join(' ')")
    return str(found)


def status(browser: Any) -> str:
    return str(browser.run("document.getElementById('status').textContent"))


@pytest.fixture(scope="session")
def spoken(beam: Recognizer, demo: np.ndarray) -> Transcript:
    return beam.transcribe(demo, SAMPLE_RATE)


@pytest.fixture(scope="session")
def wav(demo: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clip") / "demo clip.wav"
    soundfile.write(path, demo, SAMPLE_RATE)
    return path


def test_a_file_gives_the_text_and_times_of_asr_run(
    browser: Any, wav: Path, spoken: Transcript
) -> None:
    assert give(browser, wav) == spoken.text
    titles = browser.run("[...document.querySelectorAll('.word')].map((each) => each.title)")
    assert titles == [
        f"{word.start:.2f} to {word.end:.2f} s, {round(100 * word.confidence)} % sure"
        for word in spoken.words
    ]
    # What a screen reader reads out.
    log = "document.querySelector('[role=log]').textContent"
    assert browser.run(log) == spoken.text


def test_letters_by_ear_are_those_of_asr_run(browser: Any, wav: Path, greedy: Recognizer) -> None:
    assert give(browser, wav, "greedy") == greedy.transcribe(wav).text


def test_a_dropped_flac_file_is_decoded_by_the_browser(browser: Any, spoken: Transcript) -> None:
    assert give(browser, DEMO, drop=True) == spoken.text


def test_a_long_recording_is_read_in_windows(
    browser: Any, beam: Recognizer, demo: np.ndarray, tmp_path: Path
) -> None:
    path = tmp_path / "long.wav"
    soundfile.write(path, np.tile(demo, 10), SAMPLE_RATE)
    expected = list(beam.transcribe_sentences(path))
    assert give(browser, path) == " ".join(sentence.text for sentence in expected)
    number = browser.run("document.querySelectorAll('#transcript p').length")
    assert number == len(expected) > 3


def test_the_microphone_is_written_down_while_it_is_heard(browser: Any, spoken: Transcript) -> None:
    browser.run("document.getElementById('decoder').value = 'beam'")
    browser.run("""
        window.drafts = new Set();
        new MutationObserver(() => {
          const draft = document.querySelector('#transcript .draft');
          if (draft !== null) drafts.add(draft.textContent);
        }).observe(document.getElementById('transcript'), { childList: true });
    """)
    browser.run("document.getElementById('record').click()")
    browser.until("document.documentElement.dataset.state === 'recording'")
    # The clip begins after 2 s of silence and has 6.5 s.
    browser.until("document.querySelectorAll('#transcript .word').length >= 20", 60)
    browser.run("document.getElementById('record').click()")
    browser.until(READY)
    assert text(browser) == spoken.text
    drafts = browser.run("[...window.drafts]")
    assert len(drafts) > 3
    assert any(draft and spoken.text.startswith(draft) for draft in drafts)
    assert browser.run("document.getElementById('player').src").startswith("blob:")


@pytest.mark.parametrize("kind", ["txt", "srt", "vtt", "json"])
def test_the_text_is_saved(
    kind: str, browser: Any, wav: Path, spoken: Transcript, tmp_path: Path
) -> None:
    give(browser, wav)
    browser.call("Page.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path))
    browser.run(f"document.querySelector('[data-format={kind}]').click()")
    saved = tmp_path / f"demo clip.{kind}"
    end = time.monotonic() + 30
    while not saved.exists() and time.monotonic() < end:
        time.sleep(0.1)
        browser.drain()
    content = saved.read_text(encoding="utf-8")
    first = spoken.words[0].text
    assert {
        "txt": lambda: content == f"{spoken.text}\n",
        "srt": lambda: content.startswith("1\n00:00:00,") and first in content,
        "vtt": lambda: content.startswith("WEBVTT\n\n00:00:00.") and first in content,
        "json": lambda: json.loads(content)["text"] == spoken.text,
    }[kind]()


@pytest.mark.parametrize("name", ["noise.mp3", "cut.wav", "empty.wav"])
def test_a_file_that_is_no_sound_is_one_line(name: str, browser: Any, tmp_path: Path) -> None:
    path = tmp_path / name
    if name == "noise.mp3":
        path.write_bytes(bytes(range(256)) * 8)
    else:
        soundfile.write(path, np.zeros(8000 if name == "cut.wav" else 0), SAMPLE_RATE)
    if name == "cut.wav":
        path.write_bytes(path.read_bytes()[:5000])
    assert give(browser, path) == ""
    assert browser.run("document.getElementById('status').dataset.kind") == "error"
    assert {"noise.mp3": "no sound", "cut.wav": "cut off", "empty.wav": "empty"}[name] in status(
        browser
    )


def test_the_keyboard_moves_through_the_words(browser: Any, wav: Path, spoken: Transcript) -> None:
    give(browser, wav)
    browser.run("document.getElementById('transcript').focus()")
    for key in ("Home", "ArrowRight", "ArrowRight", "ArrowLeft"):
        browser.press(key)
    word = spoken.words[1]
    told = browser.run("document.getElementById('word').textContent")
    assert told.startswith(f"“{word.text}” {word.start:.2f} to {word.end:.2f} s")
    browser.press("Enter")
    browser.until(f"Math.abs(document.getElementById('player').currentTime - {word.start}) < 1.5")
    browser.run("document.getElementById('player').pause()")


def test_every_control_has_a_name(browser: Any) -> None:
    browser.call("Accessibility.enable")
    nodes = browser.call("Accessibility.getFullAXTree")["nodes"]
    nodes = [node for node in nodes if not node.get("ignored")]
    roles = {"button", "combobox", "progressbar", "group", "log", "status", "heading", "image"}
    unnamed = [
        node["role"]["value"]
        for node in nodes
        if node["role"]["value"] in roles - {"status"} and not node.get("name", {}).get("value")
    ]
    assert unnamed == []
    assert {"log", "status", "main", "heading"} <= {node["role"]["value"] for node in nodes}


@pytest.mark.parametrize("width", [320, 768])
def test_nothing_is_wider_than_the_window(width: int, browser: Any, wav: Path) -> None:
    browser.look(width, 700)
    try:
        give(browser, wav)
        assert browser.run("document.scrollingElement.scrollWidth") <= width
    finally:
        browser.look(1100, 900)


def test_it_says_how_wrong_it_is(browser: Any) -> None:
    about = browser.run("document.querySelector('.about').textContent")
    assert "10.6 % of the words were wrong" in " ".join(about.split())
    assert "in small letters, without punctuation" in " ".join(about.split())


def test_nothing_leaves_the_pages_origin(browser: Any, server: Any, wav: Path) -> None:
    give(browser, wav)
    origin = f"http://127.0.0.1:{server.server_port}/"
    # The pictures of the player's buttons are the browser's own, data: without a request.
    inside = (origin, f"blob:{origin}", "data:")
    elsewhere = [each for each in browser.requests if not each.startswith(inside)]
    assert elsewhere == []
    assert any(each.endswith("edge.onnx") for each in browser.requests)
    # Not even if a script tried: here one does, and in the worker the same policy holds.
    refused = browser.run("""
        new Promise((resolve) => {
          addEventListener("securitypolicyviolation", (event) => resolve(event.violatedDirective));
          fetch("http://127.0.0.1:9/").catch(() => {});
        })
    """)
    assert refused == "connect-src"
    policy = browser.run(
        "fetch('worker.js').then((answer) => answer.headers.get('content-security-policy'))"
    )
    assert "connect-src 'self'" in policy
    assert "default-src 'none'" in policy


def test_a_page_without_a_language_model_says_so(
    make_page: Callable[[Path | None], Path],
    start_chromium: Callable[..., Any],
    wav: Path,
    greedy: Recognizer,
    tmp_path: Path,
) -> None:
    from asr_export.web.server import page_server

    with page_server(make_page(None), 0) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        browser = start_chromium(tmp_path / "profile")
        try:
            browser.open(f"http://127.0.0.1:{running.server_port}/")
            # A file that comes too early waits for the model.
            browser.until("document.documentElement.dataset.state === 'loading'")
            browser.drop_file("#drop", wav)
            browser.until(f"{READY} && document.querySelectorAll('.word').length > 0")
            assert text(browser) == greedy.transcribe(wav).text
            about = " ".join(browser.run("document.querySelector('.about').innerText").split())
            assert "This page spells by ear" in about
            assert "41.5 % of the words were wrong" in about
            choices = "[...document.getElementById('decoder').options].map((each) => each.value)"
            assert browser.run(choices) == ["greedy"]
        finally:
            browser.close()
            running.shutdown()


def test_it_works_without_a_network(
    page: Path,
    start_chromium: Callable[..., Any],
    wav: Path,
    spoken: Transcript,
    tmp_path: Path,
) -> None:
    from asr_export.web.server import PageHandler, page_server

    class Bare(PageHandler):
        """A server that knows neither headers nor types: the service worker makes up for it."""

        send_headers = False
        extensions_map = {**PageHandler.extensions_map, ".mjs": "text/plain", ".wasm": "text/plain"}  # noqa: RUF012

    running = page_server(page, 0)
    running.RequestHandlerClass = lambda *args: Bare(*args, directory=str(page))  # type: ignore[assignment]
    thread = threading.Thread(target=running.serve_forever, daemon=True)
    thread.start()
    address = f"http://127.0.0.1:{running.server_port}/"
    browser = start_chromium(tmp_path / "profile")
    try:
        browser.open(address)
        browser.until(READY)
        assert give(browser, wav) == spoken.text
        # Only out of the cache, and as what it is, does the browser keep what it compiled of it.
        webassembly = f"{address}ort-wasm-simd-threaded.wasm"
        assert webassembly in browser.cached
        kind = f"fetch('{webassembly}').then((answer) => answer.headers.get('content-type'))"
        assert browser.run(kind) == "application/wasm"
        running.shutdown()
        running.server_close()
        thread.join()
        browser.open("about:blank")
        browser.requests.clear()
        # Several threads need headers, which the service worker adds without any server.
        browser.open(f"{address}?threads=2")
        browser.until(f"crossOriginIsolated && {READY}")
        threads = "document.documentElement.dataset.threads"
        assert browser.run(f"Number({threads}) === Math.min(2, navigator.hardwareConcurrency)")
        assert give(browser, wav) == spoken.text
    finally:
        browser.close()


def test_twenty_clips_give_the_texts_of_asr_run(
    browser: Any, beam: Recognizer, greedy: Recognizer, shared_data: Path, tmp_path: Path
) -> None:
    rows = [json.loads(line) for line in (shared_data / "dev.jsonl").read_text().splitlines()]
    differences = []
    for index, row in enumerate(rows[:: len(rows) // 20][:20]):
        samples, rate = soundfile.read(shared_data / row["audio_filepath"])
        path = tmp_path / f"{index}.wav"
        soundfile.write(path, samples, rate, subtype="PCM_16")
        for name, recognizer in (("greedy", greedy), ("beam", beam)):
            expected, found = recognizer.transcribe(path).text, give(browser, path, name)
            if found != expected:
                differences.append((name, expected, found))
    assert differences == []
