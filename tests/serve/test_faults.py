"""Whatever clients do, the server answers rightly, goes on, and keeps nothing of it."""

from __future__ import annotations

import concurrent.futures
import json
import os
import signal
import socket
import struct
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

httpx = pytest.importorskip("httpx")

CLIP = Path(__file__).parents[2] / "runtime" / "demo" / "demo.flac"
PATH = "/v1/audio/transcriptions"
MULTIPART = "Content-Type: multipart/form-data; boundary=b\r\n\r\n"


def post(server, data=None, **fields):
    files = {"file": ("a.flac", CLIP.read_bytes() if data is None else data)}
    return httpx.post(server.url + PATH, files=files, data=fields, timeout=60)


def held(server):
    """Open files and threads of the server."""
    process = Path(f"/proc/{server.process.pid}")
    return len(os.listdir(process / "fd")), len(os.listdir(process / "task"))


@pytest.fixture
def unchanged(server):
    """What a test does leaves neither files nor threads, and a server that transcribes."""
    if not Path("/proc/self/task").exists():
        pytest.skip("needs Linux to count files and threads")
    text = post(server).json()["text"]
    before = held(server)
    yield
    deadline = time.monotonic() + 20
    while held(server) > before and time.monotonic() < deadline:
        time.sleep(0.1)
    assert held(server) <= before
    assert post(server).json()["text"] == text


def connect(server):
    return socket.create_connection(server.address.split(":"))


def test_damaged_files(server, unchanged):
    seeds = pytest.importorskip("asr_bench.fuzzing.seeds")
    target = seeds.audio()
    for index in range(40):
        answer = post(server, target.damaged(5, index)[1])
        assert answer.status_code in (200, 422), index
        if answer.status_code == 422:
            message = answer.json()["error"]["message"]
            assert "\n" not in message
            assert "/tmp" not in message


def test_clients_that_leave_before_the_answer(server, unchanged):
    content = CLIP.read_bytes()
    body = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
    body += content + b"\r\n--b--\r\n"
    head = f"POST {PATH} HTTP/1.1\r\nHost: a\r\nContent-Length: {len(body)}\r\n{MULTIPART}"
    for _ in range(10):
        with connect(server) as client:
            client.sendall(head.encode() + body)
            # A reset instead of a goodbye.
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def test_clients_that_leave_are_logged_as_such(start):
    server = start("--workers", "1")
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        busy = pool.submit(post, server)
        with pytest.raises(httpx.TimeoutException):
            httpx.post(
                server.url + PATH, files={"file": ("a", CLIP.read_bytes())}, timeout=0.001 + 0.05
            )
        assert busy.result().status_code == 200
    deadline = time.monotonic() + 20
    while len(server.log) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    statuses = sorted(json.loads(line)["status"] for line in server.log)
    assert statuses[0] == 200
    assert server.stop() == 0


def test_clients_that_never_finish_asking(start):
    server = start("--idle", "0.5")
    with connect(server) as silent, connect(server) as slow:
        slow.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\n")
        for client in (silent, slow):
            client.settimeout(20)
            assert client.recv(100) == b""
    assert httpx.get(f"{server.url}/healthz").text == "ok\n"


def test_an_upload_that_trickles_is_cut_off(start):
    server = start("--idle", "5", "--timeout", "1")
    with connect(server) as client:
        head = f"POST {PATH} HTTP/1.1\r\nHost: a\r\nContent-Length: 9000\r\n{MULTIPART}"
        part = '--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
        client.sendall((head + part).encode())
        client.settimeout(0.1)
        answer = b""
        deadline = time.monotonic() + 20
        while not answer and time.monotonic() < deadline:
            client.sendall(b"a")
            try:
                answer = client.recv(1000)
            except TimeoutError:
                continue
        assert b" 408 " in answer


def test_ten_hours(server, unchanged, tmp_path):
    path = tmp_path / "long.flac"
    with soundfile.SoundFile(path, "w", 8000, 1, "PCM_16") as file:
        for _ in range(10):
            file.write(np.zeros(3600 * 8000, np.int16))
    data = path.read_bytes()
    answer = post(server, data)
    assert answer.status_code == 413
    assert "longer than 60 s" in answer.json()["error"]["message"]


FRAMES = {
    "an unknown kind": b"\x83\x80abcd",
    "no mask": b"\x82\x04abcd",
    "a reserved bit": b"\xc2\x84abcd1234",
    "a length of 2^63": b"\x82\xff" + b"\xff" * 8 + b"abcd",
    "a ping of 200 bytes": b"\x89\xfe\x00\xc8abcd" + bytes(200),
    "text that is no UTF-8": b"\x81\x82\0\0\0\0\xff\xff",
    "a continuation of nothing": b"\x80\x80abcd",
    "an impossible status": b"\x88\x82\0\0\0\0\x00\x01",
    "noise": np.random.default_rng(0).bytes(5000),
    "half a frame": b"\x82\xfe\xff",
}


@pytest.mark.parametrize("frame", FRAMES.values(), ids=FRAMES.keys())
def test_frames_that_are_nonsense(server, unchanged, frame):
    with connect(server) as client:
        client.sendall(
            b"GET /v1/audio/stream HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\n"
            b"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
        )
        client.settimeout(20)
        assert b" 101 " in client.recv(1000)
        client.sendall(frame)
        time.sleep(0.1)


def test_a_stop_in_the_middle_of_everything(start, spoken):
    from websockets.sync.client import connect as connect_stream

    server = start("--workers", "1")
    samples = soundfile.read(CLIP, dtype="int16")[0]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = [pool.submit(post, server) for _ in range(8)]
        with connect_stream(f"ws://{server.address}/v1/audio/stream") as stream, connect(server):
            stream.send(samples[:20_000].astype("<i2").tobytes())
            stream.recv(timeout=60)
            time.sleep(0.3)
            assert server.stop() == 0
        for answer in answers:
            try:
                answer = answer.result()
            except httpx.TransportError:
                continue  # it was not begun
            assert answer.status_code == 200
            assert answer.json()["text"] == spoken
    assert not [line for line in server.log if "Traceback" in line]
    assert server.process.returncode != -signal.SIGTERM
