"""Many clients against asr-serve: rates, waiting times, memory; beside asr-run on the same files.

python benchmarks/serve/load.py --manifest dev.jsonl --clients 50 --requests 2000
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import httpx
from server_process import ServerProcess, serving

ENDPOINT = "/v1/audio/transcriptions"


def clips(manifest: Path, shortest: float, longest: float) -> list[tuple[Path, float]]:
    """Paths and seconds of the manifest's clips of such lengths."""
    rows = [json.loads(line) for line in manifest.read_text(encoding="utf-8").splitlines()]
    return [
        (manifest.parent / row["audio_filepath"], row["duration"])
        for row in rows
        if shortest <= row["duration"] <= longest
    ]


def processor_seconds(process: int) -> float:
    """Processor time of a process so far (Linux)."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def load(server: ServerProcess, bodies: list[bytes], clients: int, requests: int) -> dict:
    """Send the requests, some at a time; a refused one is sent again after what it was told."""
    statuses: Counter[int] = Counter()
    seconds: list[float] = []
    memory: list[int] = []
    numbers = iter(range(requests))

    async def client(http: httpx.AsyncClient) -> None:
        for number in numbers:
            while True:
                begin = time.perf_counter()
                files = {"file": ("clip.flac", bodies[number % len(bodies)])}
                answer = await http.post(server.url + ENDPOINT, files=files)
                statuses[answer.status_code] += 1
                if answer.status_code not in (429, 503):
                    break
                await asyncio.sleep(float(answer.headers.get("retry-after", 1)))
            seconds.append(time.perf_counter() - begin)
            memory.append(server.resident_bytes())

    async with httpx.AsyncClient(timeout=600, limits=httpx.Limits(max_connections=clients)) as http:
        begin, used = time.perf_counter(), processor_seconds(server.process.pid)
        await asyncio.gather(*(client(http) for _ in range(clients)))
        wall = time.perf_counter() - begin
    thirds = len(memory) // 3
    ranked = sorted(seconds)
    return {
        "statuses": dict(statuses),
        "wall_seconds": round(wall, 2),
        "processor_seconds": round(processor_seconds(server.process.pid) - used, 2),
        "latency_seconds": {
            f"p{part}": round(ranked[min(len(ranked) - 1, len(ranked) * part // 100)], 3)
            for part in (50, 95, 99)
        },
        "memory_growth": round(
            statistics.median(memory[-thirds:]) / statistics.median(memory[:thirds]) - 1, 4
        ),
        "peak_memory_mb": round(max(memory) / 1e6, 1),
    }


def run_batch(files: list[Path]) -> dict:
    """asr-run with the same files."""
    begin, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "asr_runtime", *map(str, files)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    wall = time.perf_counter() - begin
    return {"wall_seconds": round(wall, 2), "processor_seconds": round(used, 2)}


def main() -> None:
    """Measure and print JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--manifest", type=Path, required=True)
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--requests", type=int, default=2000)
    parser.add_argument("--serve-options", default="", help="More options of asr-serve.")
    options = parser.parse_args()
    chosen = clips(options.manifest, 2.0, 15.0)
    order = [chosen[number % len(chosen)] for number in range(options.requests)]
    audio = sum(duration for _, duration in order)
    with serving(*options.serve_options.split()) as server:
        bodies = [path.read_bytes() for path, _ in chosen]
        asyncio.run(load(server, bodies, 4, 40))  # warm
        served = asyncio.run(load(server, bodies, options.clients, options.requests))
    batch = run_batch([path for path, _ in order])
    for result in (served, batch):
        result["audio_seconds_a_second"] = round(audio / result["wall_seconds"], 1)
    print(json.dumps({"audio_seconds": round(audio, 1), "asr-serve": served, "asr-run": batch}))


if __name__ == "__main__":
    main()
