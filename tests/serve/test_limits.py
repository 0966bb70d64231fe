"""Limits, tokens and faults: the right status, and a server that goes on."""

from __future__ import annotations

import concurrent.futures
import io
import json
import socket
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

httpx = pytest.importorskip("httpx")

CLIP = Path(__file__).parents[2] / "runtime" / "demo" / "demo.flac"
PATH = "/v1/audio/transcriptions"


def post(server, data=None, timeout=60, **headers):
    files = {"file": ("a.flac", CLIP.read_bytes() if data is None else data)}
    return httpx.post(server.url + PATH, files=files, headers=headers, timeout=timeout)


def wav(seconds):
    file = io.BytesIO()
    soundfile.write(file, np.zeros(round(seconds * 8000), np.int16), 8000, format="WAV")
    return file.getvalue()


def open_files(server):
    return len(list(Path(f"/proc/{server.process.pid}/fd").iterdir()))


def test_health_and_counters(server):
    assert httpx.get(f"{server.url}/healthz").text == "ok\n"
    post(server)
    text = httpx.get(f"{server.url}/metrics").text
    assert f'asr_requests_total{{path="{PATH}",status="200"}}' in text
    assert float(text.split("\nasr_audio_seconds_total ")[1].split()[0]) >= 6.5


def test_no_file_and_no_such_page(server):
    answer = httpx.post(server.url + PATH, data={"model": "edge"})
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "file")
    assert httpx.get(f"{server.url}/v1/nothing").status_code == 404
    assert httpx.get(server.url + PATH).status_code == 405


def test_an_upload_that_is_too_long_is_refused_before_it_is_read(server):
    assert post(server, bytes(3_100_000)).status_code == 413
    with socket.create_connection(server.address.split(":")) as client:
        client.sendall(
            f"POST {PATH} HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000000\r\n"
            "Content-Type: multipart/form-data; boundary=b\r\n\r\n".encode()
        )
        assert b" 413 " in client.recv(1000)


def test_a_body_of_unstated_length_is_counted(server):
    def body():
        yield b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
        for _ in range(40):
            yield bytes(100_000)

    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    try:
        status = httpx.post(server.url + PATH, content=body(), headers=headers).status_code
    except httpx.TransportError:
        status = 413  # the server closed the connection, and the client was still writing
    assert status == 413
    assert httpx.get(f"{server.url}/healthz").text == "ok\n"


def test_a_recording_that_is_too_long(server):
    answer = post(server, wav(61))
    assert answer.status_code == 413
    assert "longer than 60 s" in answer.json()["error"]["message"]


@pytest.mark.parametrize("data", [b"", b"nonsense", b"RIFF\0\0\0\0WAVE", bytes(1000)])
def test_what_is_no_audio(server, data):
    answer = post(server, data)
    assert answer.status_code == 422
    assert len(answer.json()["error"]["message"].splitlines()) == 1


def test_a_broken_multipart_body(server):
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    answer = httpx.post(server.url + PATH, content=b"--x\r\nno", headers=headers)
    assert answer.status_code == 400
    assert answer.json()["error"]["message"]


def test_clients_that_hang_up_leave_nothing_behind(server, spoken):
    post(server)
    before = open_files(server)
    head = f"POST {PATH} HTTP/1.1\r\nHost: a\r\nContent-Length: 90000\r\n"
    head += "Content-Type: multipart/form-data; boundary=b\r\n\r\n"
    for sent in (b"", head.encode()[:30], head.encode(), head.encode() + bytes(5000)):
        for _ in range(5):
            with socket.create_connection(server.address.split(":")) as client:
                client.sendall(sent)
    deadline = time.monotonic() + 20
    while open_files(server) > before and time.monotonic() < deadline:
        time.sleep(0.1)
    assert open_files(server) <= before
    assert post(server).json()["text"] == spoken


def test_the_log_tells_neither_text_nor_name(server, spoken):
    files = {"file": ("secret-name.flac", CLIP.read_bytes())}
    assert httpx.post(server.url + PATH, files=files, timeout=60).status_code == 200
    time.sleep(0.2)
    written = "".join(server.log)
    assert "secret-name" not in written
    assert spoken.split()[2] not in written
    last = json.loads(server.log[-1])
    assert (last["path"], last["status"]) == (PATH, 200)


def test_a_full_queue_refuses_and_serves_what_it_took(start, spoken):
    server = start("--workers", "1", "--queue", "1")
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: post(server), range(8)))
    statuses = sorted(answer.status_code for answer in answers)
    assert set(statuses) == {200, 429}
    for answer in answers:
        if answer.status_code == 200:
            assert answer.json()["text"] == spoken
        else:
            assert answer.headers["retry-after"] == "1"
    assert post(server).status_code == 200


def test_token(start):
    server = start(token="open sesame")
    assert httpx.get(f"{server.url}/healthz").status_code == 200
    assert httpx.get(f"{server.url}/metrics").status_code == 401
    for sent in ({}, {"authorization": "Bearer wrong"}, {"authorization": "open sesame"}):
        answer = post(server, **sent)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == "Bearer"
    assert post(server, authorization="Bearer open sesame").status_code == 200


def test_a_slow_upload_is_cut_off(start):
    server = start("--idle", "0.5")
    with socket.create_connection(server.address.split(":")) as client:
        client.sendall(
            f"POST {PATH} HTTP/1.1\r\nHost: a\r\nContent-Length: 9000\r\n"
            "Content-Type: multipart/form-data; boundary=b\r\n\r\n".encode()
        )
        client.settimeout(20)
        assert b" 408 " in client.recv(1000)


def test_a_stop_finishes_what_was_begun(start, spoken):
    server = start("--workers", "1")
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        answers = [pool.submit(post, server) for _ in range(4)]
        deadline = time.monotonic() + 30
        while "asr_requests_total" not in httpx.get(f"{server.url}/metrics").text:
            assert time.monotonic() < deadline
        time.sleep(0.3)
        assert server.stop() == 0
        texts = [answer.result().json()["text"] for answer in answers]
    assert texts == [spoken] * 4


def test_web_pages_of_other_origins_may_not_call_unless_told(server, start):
    ask = {"origin": "https://page.example", "access-control-request-method": "POST"}
    answer = httpx.options(server.url + PATH, headers=ask)
    assert "access-control-allow-origin" not in answer.headers
    allowing = start("--cors-origin", "https://page.example", token="t")
    answer = httpx.options(allowing.url + PATH, headers=ask)
    assert answer.headers["access-control-allow-origin"] == "https://page.example"
