"""How late text comes over the WebSocket of asr-serve: clips in real time, joined with pauses.

python benchmarks/serve/live.py --manifest dev.jsonl --clips 20 --uploads 2

Word times are those of the same recogniser for whole clips. A stream that is fed on its own,
without a clock, tells which block of samples brings each result, so that what the model has to hear
before it can tell is told apart from what the server takes.
"""

from __future__ import annotations

import argparse
import json
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import soundfile
from server_process import ServerProcess, serving
from websockets.sync.client import connect

from asr_runtime import Recognizer
from asr_runtime.sentences.endpointing import EndpointConfig

RATE = 16_000
BLOCK_SECONDS = 0.1
PAUSE_SECONDS = 1.6
SAME_SENTENCE_SECONDS = 0.75
"""A sentence may begin with some of the pause before it."""


@dataclass(frozen=True)
class Speech:
    """Clips with pauses between them.

    Attributes:
        samples: float32 [samples] at RATE.
        begins: Where each clip begins, in seconds.
        first_words: When the first word of each ends, in seconds.
    """

    samples: np.ndarray
    begins: list[float]
    first_words: list[float]

    def blocks(self) -> list[bytes]:
        """What is sent at a time."""
        samples = np.clip(np.round(self.samples * 32768), -32768, 32767).astype("<i2")
        size = round(BLOCK_SECONDS * RATE)
        return [samples[begin : begin + size].tobytes() for begin in range(0, len(samples), size)]


def join(manifest: Path, clips: int, recognizer: Recognizer) -> Speech:
    """Join clips from all over a manifest."""
    rows = [json.loads(line) for line in manifest.read_text(encoding="utf-8").splitlines()]
    rows = [row for row in rows if 2 <= row["duration"] <= 12]
    rows = rows[:: max(1, len(rows) // clips)][:clips]
    pause = np.zeros(round(PAUSE_SECONDS * RATE), np.float32)
    parts, begins, firsts = [pause], [], []
    for row in rows:
        samples, rate = soundfile.read(manifest.parent / row["audio_filepath"], dtype="float32")
        words = recognizer.transcribe(samples, rate).words
        if rate != RATE or not words:
            continue
        begins.append(sum(map(len, parts)) / RATE)
        firsts.append(begins[-1] + words[0].end)
        parts += [samples, pause]
    return Speech(np.concatenate(parts), begins, firsts)


def bringing_blocks(speech: Speech, recognizer: Recognizer) -> list[int]:
    """Return the block after which each result comes."""
    stream = recognizer.stream(RATE)
    blocks = []
    for number, block in enumerate(speech.blocks()):
        blocks += [number] * len(stream.feed(np.frombuffer(block, "<i2")))
    return blocks + [number] * len(stream.finish())


def listen(server: ServerProcess, speech: Speech) -> tuple[list[dict[str, Any]], list[float]]:
    """Speak in real time; return the messages, with their seconds, and those of the blocks sent."""
    sent: list[float] = []
    messages = []
    url = server.url.replace("http", "ws") + f"/v1/audio/stream?sample_rate={RATE}"
    with connect(url, open_timeout=30) as socket:
        begin = time.monotonic()

        def speak() -> None:
            for number, block in enumerate(speech.blocks()):
                # A block is there when its last sample was recorded.
                time.sleep(max(0.0, begin + (number + 1) * BLOCK_SECONDS - time.monotonic()))
                sent.append(time.monotonic() - begin)
                socket.send(block)
            socket.send('{"type": "end"}')

        speaker = threading.Thread(target=speak)
        speaker.start()
        for text in socket:
            messages.append({**json.loads(text), "at": time.monotonic() - begin})
        speaker.join()
    return messages[:-1], sent


def upload(server: ServerProcess, content: bytes, stop: threading.Event) -> None:
    """Keep a worker busy with files."""
    while not stop.is_set():
        files = {"file": ("a", content)}
        httpx.post(server.url + "/v1/audio/transcriptions", files=files, timeout=600)


def spread(seconds: list[float]) -> dict[str, float]:
    """Return percentiles."""
    ranked = sorted(seconds)
    found = {
        f"p{part}": round(ranked[min(len(ranked) - 1, len(ranked) * part // 100)], 3)
        for part in (50, 95)
    }
    return {**found, "longest": round(ranked[-1], 3), "number": len(ranked)}


def delays(speech: Speech, results: list[dict[str, Any]], when: str) -> dict[str, Any]:
    """Return how late words and sentences came, by one of the clocks in the results."""
    first = []
    ends = [*speech.begins[1:], len(speech.samples) / RATE]
    for begin, end, spoken in zip(speech.begins, ends, speech.first_words, strict=True):
        for result in results:
            inside = begin <= result["start"] + SAME_SENTENCE_SECONDS < end
            if result["text"] and inside and result["start"] + result["duration"] >= spoken - 0.1:
                first.append(result[when] - spoken)
                break
    silence = EndpointConfig().silence_seconds
    length = len(speech.samples) / RATE
    final = [
        result[when] - (result["words"][-1]["end"] + silence)
        for result in results
        if result["type"] == "final" and result["words"] and result[when] < length
    ]
    return {
        "first words after they were spoken": spread(first),
        "final after the pause": spread(final),
    }


def main() -> None:
    """Measure and print JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--manifest", type=Path, required=True)
    parser.add_argument("--clips", type=int, default=20)
    parser.add_argument("--uploads", type=int, default=0, help="Files in transcription meanwhile.")
    parser.add_argument("--serve-options", default="", help="More options of asr-serve.")
    options = parser.parse_args()
    recognizer = Recognizer.load(device="cpu", threads=1)
    speech = join(options.manifest, options.clips, recognizer)
    blocks = bringing_blocks(speech, recognizer)
    stop = threading.Event()
    with serving(*options.serve_options.split()) as server:
        # A minute is what is transcribed in one go.
        minute = np.resize(speech.samples, 59 * RATE)
        path = Path("/tmp") / f"asr-serve-live-{server.process.pid}.flac"
        soundfile.write(path, minute, RATE)
        content = path.read_bytes()
        path.unlink()
        busy = [
            threading.Thread(target=upload, args=(server, content, stop))
            for _ in range(options.uploads)
        ]
        for thread in busy:
            thread.start()
        results, sent = listen(server, speech)
        stop.set()
        for thread in busy:
            thread.join()
    if len(results) != len(blocks):
        raise SystemExit("the server's results are not those of a stream by itself")
    for result, block in zip(results, blocks, strict=True):
        result["heard"] = (block + 1) * BLOCK_SECONDS
    served = [result["at"] - sent[block] for result, block in zip(results, blocks, strict=True)]
    report = {
        "audio_seconds": round(len(speech.samples) / RATE, 1),
        "uploads_meanwhile": options.uploads,
        "latency_of_the_model": round(recognizer.stream(RATE).latency, 3),
        "by the clock": delays(speech, results, "at"),
        "when the model has heard enough": delays(speech, results, "heard"),
        "server, from the samples to the message": spread(served),
    }
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
