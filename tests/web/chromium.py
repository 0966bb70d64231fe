"""Chromium without a window, driven over its DevTools protocol: no driver program, no npm."""

from __future__ import annotations

import base64
import itertools
import json
import os
import shutil
import subprocess
import time
from collections import deque
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def find_chromium() -> str | None:
    """The browser's path: the variable CHROMIUM, or one of the usual names; None without one."""
    named = os.environ.get("CHROMIUM")
    return named or next(filter(None, map(shutil.which, PROGRAMS)), None)


class Chromium:
    """One browser with one page.

    Attributes:
        requests: The addresses that it asked for, workers' too.
        cached: Those that a service worker answered out of a cache.
        console: What was written to the console.
    """

    def __init__(self, program: str, profile: Path, *, microphone: Path | None = None) -> None:
        fake = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
        if microphone is not None:
            fake.append(f"--use-file-for-fake-audio-capture={microphone}%noloop")
        self._process = subprocess.Popen(
            [
                program,
                "--headless=new",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--disable-background-networking",
                "--disable-component-update",
                "--no-first-run",
                "--hide-scrollbars",
                "--autoplay-policy=no-user-gesture-required",
                "--remote-debugging-port=0",
                f"--user-data-dir={profile}",
                *fake,
                "about:blank",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        from websockets.sync.client import connect

        port = profile / "DevToolsActivePort"
        wait(lambda: port.exists() and len(port.read_text().splitlines()) == 2, 60)
        number, path = port.read_text().splitlines()
        address = f"ws://127.0.0.1:{number}{path}"
        self._open = ExitStack()
        self._socket = self._open.enter_context(
            connect(address, max_size=None, compression=None, proxy=None)
        )
        self._numbers = itertools.count(1)
        self._events: deque[dict[str, Any]] = deque()
        self.requests: list[str] = []
        self.cached: list[str] = []
        self.console: list[str] = []
        target = self._call("Target.createTarget", {"url": "about:blank"}, None)["targetId"]
        attached = {"targetId": target, "flatten": True}
        self._session = self._call("Target.attachToTarget", attached, None)["sessionId"]
        self._watch(self._session)
        for domain in ("Page", "DOM"):
            self.call(f"{domain}.enable")

    def close(self) -> None:
        """End the browser."""
        self._open.close()
        self._process.terminate()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Call a method of the page's protocol."""
        return self._call(method, parameters, self._session)

    def open(self, address: str) -> None:
        """Go to an address."""
        self.call("Page.navigate", url=address)

    def run(self, script: str) -> Any:
        """The value of a script in the page; promises are waited for."""
        answer = self.call(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True
        )
        if "exceptionDetails" in answer:
            raise RuntimeError(json.dumps(answer["exceptionDetails"])[:2000])
        return answer["result"].get("value")

    def until(self, script: str, seconds: float = 120) -> Any:
        """Wait until a script's value is true; it may be asked while the page loads anew."""

        def asked() -> Any:
            try:
                return self.run(script)
            except RuntimeError:
                return None

        return wait(asked, seconds, lambda: f"{script}; console: {self.console}")

    def choose_file(self, selector: str, path: Path) -> None:
        """Choose a file, as with the dialogue that an input opens."""
        root = self.call("DOM.getDocument")["root"]["nodeId"]
        node = self.call("DOM.querySelector", nodeId=root, selector=selector)["nodeId"]
        self.call("DOM.setFileInputFiles", nodeId=node, files=[str(path)])

    def drop_file(self, selector: str, path: Path) -> None:
        """Drag a file from elsewhere onto an element."""
        box = self.run(
            f"(({{x, y, width, height}}) => [x + width / 2, y + height / 2])"
            f"(document.querySelector({selector!r}).getBoundingClientRect())"
        )
        data = {"items": [], "files": [str(path)], "dragOperationsMask": 1}
        for kind in ("dragEnter", "dragOver", "drop"):
            self.call("Input.dispatchDragEvent", type=kind, x=box[0], y=box[1], data=data)

    def press(self, key: str) -> None:
        """Press a key."""
        codes = {"Tab": 9, "Enter": 13, "End": 35, "Home": 36, "ArrowLeft": 37, "ArrowRight": 39}
        text = {"Enter": "\r"}.get(key)
        extra = {"text": text} if text else {}
        for kind in ("keyDown", "keyUp"):
            self.call(
                "Input.dispatchKeyEvent",
                type=kind,
                key=key,
                code=key,
                windowsVirtualKeyCode=codes[key],
                **(extra if kind == "keyDown" else {}),
            )

    def look(self, width: int, height: int, scheme: str = "light", scale: float = 1) -> None:
        """The window's size and the colours that its user prefers."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=scale,
            mobile=False,
        )
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.call("Emulation.setEmulatedMedia", features=features)

    def screenshot(self, path: Path) -> None:
        """The whole page as a PNG file."""
        picture = self.call("Page.captureScreenshot", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(picture["data"]))

    def drain(self) -> None:
        """Handle what happened since the last call."""
        self.run("0")

    def _call(self, method: str, parameters: dict[str, Any], session: str | None) -> dict[str, Any]:
        number = self._send(method, parameters, session)
        while True:
            message = json.loads(self._socket.recv(timeout=120))
            if message.get("id") == number:
                if "error" in message:
                    raise RuntimeError(f"{method}: {message['error']}")
                return message["result"]
            self._handle(message)

    def _send(self, method: str, parameters: dict[str, Any], session: str | None) -> int:
        number = next(self._numbers)
        message: dict[str, Any] = {"id": number, "method": method, "params": parameters}
        if session is not None:
            message["sessionId"] = session
        self._socket.send(json.dumps(message))
        return number

    def _handle(self, message: dict[str, Any]) -> None:
        parameters = message.get("params", {})
        if message.get("method") == "Target.attachedToTarget":
            # A worker: its requests count as well, and it waits for leave to begin.
            self._watch(parameters["sessionId"], wait_for_answers=False)
        elif message.get("method") == "Network.requestWillBeSent":
            self.requests.append(parameters["request"]["url"])
        elif message.get("method") == "Network.responseReceived":
            response = parameters["response"]
            if response.get("serviceWorkerResponseSource") == "cache-storage":
                self.cached.append(response["url"])
        elif message.get("method") in ("Runtime.consoleAPICalled", "Runtime.exceptionThrown"):
            self.console.append(json.dumps(parameters)[:600])

    def _watch(self, session: str, *, wait_for_answers: bool = True) -> None:
        send = self._call if wait_for_answers else self._send
        attach = {"autoAttach": True, "waitForDebuggerOnStart": True, "flatten": True}
        send("Network.enable", {}, session)
        send("Runtime.enable", {}, session)
        send("Target.setAutoAttach", attach, session)
        send("Runtime.runIfWaitingForDebugger", {}, session)


def wait(value: Callable[[], Any], seconds: float, what: Callable[[], str] = lambda: "it") -> Any:
    """Wait until something is true, and return it."""
    end = time.monotonic() + seconds
    while not (found := value()):
        if time.monotonic() > end:
            raise TimeoutError(f"waited {seconds} s for {what()}")
        time.sleep(0.1)
    return found
