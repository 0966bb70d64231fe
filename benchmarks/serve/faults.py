"""What clients do wrong, in numbers, against asr-serve: statuses, and what the server keeps of it.

python benchmarks/serve/faults.py --files 2000 --json faults.json
"""

from __future__ import annotations

import argparse
import io
import json
import random
import socket
import struct
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import soundfile
from server_process import ServerProcess, serving

from asr_bench.fuzzing.seeds import audio

ENDPOINT = "/v1/audio/transcriptions"
CLIP = Path(__file__).parents[2] / "runtime" / "demo" / "demo.flac"
MEGABYTE = 1_000_000
HEAD = (
    f"POST {ENDPOINT} HTTP/1.1\r\nHost: a\r\n"
    "Content-Type: multipart/form-data; boundary=b\r\n{}\r\n"
)
PART = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'


# One for all, because each reads the system's certificates; connections are not kept.
CLIENT = httpx.Client(timeout=300, limits=httpx.Limits(max_keepalive_connections=0))


def post(server: ServerProcess, content: bytes) -> httpx.Response:
    """Send one file."""
    return CLIENT.post(server.url + ENDPOINT, files={"file": ("a", content)})


def damaged_files(server: ServerProcess, files: int) -> dict[str, Any]:
    """Damaged audio of every format, as ``asr-bench fuzz`` makes it, four at a time."""
    target = audio()
    odd: list[str] = []

    def send(index: int) -> int:
        origin, content = target.damaged(7, index)
        answer = post(server, content)
        if answer.status_code == 422:
            message = answer.json()["error"]["message"]
            if "\n" in message or "/tmp" in message:
                odd.append(f"{index} ({origin.name}): {message!r}")
        elif answer.status_code != 200:
            odd.append(f"{index} ({origin.name}): status {answer.status_code}")
        return answer.status_code

    with ThreadPoolExecutor(4) as pool:
        statuses = Counter(pool.map(send, range(files)))
    return {"files": files, "statuses": dict(sorted(statuses.items())), "odd": odd}


def hang_ups(server: ServerProcess, times: int) -> dict[str, Any]:
    """Clients that leave at a random place of a request, by a goodbye or a reset."""
    rng = random.Random(1)
    body = PART + CLIP.read_bytes() + b"\r\n--b--\r\n"
    request = HEAD.format(f"Content-Length: {len(body)}\r\n").encode() + body
    for _ in range(times):
        with socket.create_connection(server.address) as client:
            place = rng.choice((rng.randrange(300), rng.randrange(len(request)), len(request)))
            client.sendall(request[:place])
            if rng.random() < 0.5:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return {"clients": times}


def slow_clients(server: ServerProcess, times: int) -> dict[str, Any]:
    """Clients that send nothing, half a head, or half a body; others are served meanwhile."""
    starts = [b"", HEAD[:40].encode(), HEAD.format("Content-Length: 9000\r\n").encode() + PART]
    clients = [socket.create_connection(server.address) for _ in range(times)]
    for number, client in enumerate(clients):
        client.sendall(starts[number % len(starts)])
    begin = time.monotonic()
    status = post(server, CLIP.read_bytes()).status_code
    served = time.monotonic() - begin
    answers: Counter[str] = Counter()
    for client in clients:
        client.settimeout(60)
        answer = client.recv(100)
        answers[answer.split(b" ")[1].decode() if answer else "closed"] += 1
        client.close()
    return {
        "clients": times,
        "ended": dict(answers),
        "seconds_until_the_last": round(time.monotonic() - begin, 1),
        "another_client": {"status": status, "seconds": round(served, 2)},
    }


def huge_uploads(server: ServerProcess, gigabytes: float) -> dict[str, Any]:
    """A gigabyte that says so, one that does not, and their peak of memory."""
    size = int(gigabytes * 1e9)
    result: dict[str, Any] = {}

    def body() -> Iterator[bytes]:
        yield PART
        for _ in range(size // MEGABYTE):
            yield bytes(MEGABYTE)
        yield b"\r\n--b--\r\n"

    for name, lengths in (("stated", {"Content-Length": str(size)}), ("unstated", {})):
        headers = {"Content-Type": "multipart/form-data; boundary=b", **lengths}
        try:
            answer = httpx.post(server.url + ENDPOINT, content=body(), headers=headers, timeout=300)
            result[name] = answer.status_code
        except httpx.TransportError as error:
            result[name] = f"cut off ({type(error).__name__})"
    return result


def long_recordings(server: ServerProcess, hours: float) -> dict[str, Any]:
    """Hours of silence in a small file, and a header that promises hours."""
    file = io.BytesIO()
    with soundfile.SoundFile(file, "w", 8000, 1, "PCM_16", format="FLAC") as flac:
        for _ in range(round(hours)):
            flac.write(np.zeros(3600 * 8000, np.int16))
    promised = io.BytesIO()
    soundfile.write(promised, np.zeros(16_000, np.int16), 16_000, format="WAV")
    header = bytearray(promised.getvalue())
    size = round(hours * 3600) * 32_000
    header[4:8], header[40:44] = struct.pack("<I", size + 36), struct.pack("<I", size)
    return {
        "flac": post(server, file.getvalue()).status_code,
        "promised": post(server, bytes(header)).status_code,
    }


def nonsense_frames(server: ServerProcess, times: int) -> dict[str, Any]:
    """WebSockets whose bytes after the handshake are random, or frames with random contents."""
    rng = random.Random(2)
    ended: Counter[str] = Counter()
    for _ in range(times):
        with socket.create_connection(server.address) as client:
            client.sendall(
                b"GET /v1/audio/stream HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\n"
                b"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
            )
            client.settimeout(30)
            client.recv(1000)
            length = rng.randrange(126)
            frame = bytes([rng.choice((0x81, 0x82, 0x80, 0x88, rng.randrange(256)))])
            frame += bytes([0x80 | length]) + bytes(4) + rng.randbytes(length)
            client.sendall(rng.choice((frame, frame * 3, rng.randbytes(500), frame[:3])))
            client.shutdown(socket.SHUT_WR)
            try:
                while data := client.recv(4096):
                    if data[0] == 0x88 and len(data) >= 4:
                        ended[str(struct.unpack(">H", data[2:4])[0])] += 1
                        break
                else:
                    ended["closed"] += 1
            except ConnectionError:
                ended["closed"] += 1
    return {"sockets": times, "ended": dict(sorted(ended.items()))}


def stop_under_load(clients: int) -> dict[str, Any]:
    """SIGTERM while requests wait and are computed."""
    statuses: Counter[str] = Counter()
    server = ServerProcess("--workers", "1", "--queue", "1000")
    post(server, CLIP.read_bytes())

    def send(_: int) -> str:
        try:
            return str(post(server, CLIP.read_bytes()).status_code)
        except httpx.TransportError as error:
            return type(error).__name__

    with ThreadPoolExecutor(clients) as pool:
        answers = [pool.submit(send, number) for number in range(clients)]
        while not any(answer.done() for answer in answers):
            time.sleep(0.01)
        begin = time.monotonic()
        server.process.terminate()
        code = server.process.wait(120)
        seconds = time.monotonic() - begin
        statuses.update(answer.result() for answer in answers)
    return {
        "clients": clients,
        "answers": dict(statuses),
        "exit_status": code,
        "seconds": round(seconds, 1),
    }


def kept(server: ServerProcess, before: dict[str, int], seconds: float) -> dict[str, int]:
    """Files and threads more than before, once the server had time to let go of them."""
    deadline = time.monotonic() + seconds
    while True:
        more = {name: count - before[name] for name, count in server.held().items()}
        if max(more.values()) <= 0 or time.monotonic() > deadline:
            return more
        time.sleep(0.2)


def main() -> None:
    """Measure, print JSON, and fail if something was kept or answered wrongly."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=2000, help="Damaged files.")
    parser.add_argument("--clients", type=int, default=200, help="Clients of each other kind.")
    parser.add_argument("--json", type=Path, help="Write the result here too.")
    options = parser.parse_args()
    scenarios: dict[str, Callable[[ServerProcess], dict[str, Any]]] = {
        "damaged files": lambda server: damaged_files(server, options.files),
        "clients that hang up": lambda server: hang_ups(server, options.clients),
        "slow clients": lambda server: slow_clients(server, options.clients),
        "a gigabyte": lambda server: huge_uploads(server, 1.0),
        "ten hours": lambda server: long_recordings(server, 10),
        "nonsense over WebSocket": lambda server: nonsense_frames(server, options.clients),
    }
    report: dict[str, Any] = {}
    with serving("--idle", "3") as server:
        expected = post(server, CLIP.read_bytes()).json()["text"]
        # The framework starts threads for uploads that it spools, and keeps some.
        with ThreadPoolExecutor(16) as pool:
            list(pool.map(lambda _: post(server, bytes(3 * MEGABYTE)), range(64)))
        before = server.held()
        for name, scenario in scenarios.items():
            memory, begin = server.resident_bytes(), time.monotonic()
            result = scenario(server)
            result["seconds"] = round(time.monotonic() - begin, 1)
            result["more_files_and_threads"] = kept(server, before, 30)
            result["more_memory_mb"] = round((server.resident_bytes() - memory) / 1e6, 1)
            result["still_right"] = post(server, CLIP.read_bytes()).json()["text"] == expected
            report[name] = result
            print(json.dumps({name: result}), flush=True)
    report["SIGTERM under load"] = stop_under_load(20)
    print(json.dumps({"SIGTERM under load": report["SIGTERM under load"]}), flush=True)
    if options.json is not None:
        options.json.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    wrong = [
        name
        for name, result in report.items()
        if result.get("odd")
        or not result.get("still_right", True)
        or max(result.get("more_files_and_threads", {"": 0}).values()) > 0
        or result.get("exit_status", 0)
    ]
    if wrong:
        raise SystemExit(f"not as it should be: {', '.join(wrong)}")


if __name__ == "__main__":
    main()
