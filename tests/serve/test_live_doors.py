"""Live audio over WebSocket, and Wyoming's client."""

from __future__ import annotations

import asyncio
import json
import socket
from pathlib import Path

import numpy as np
import pytest
import soundfile

CLIP = Path(__file__).parents[2] / "runtime" / "demo" / "demo.flac"


def similar(live, spoken):
    """Streams look less far ahead, so that one word in five may differ."""
    return len(set(spoken.split()) - set(live.split())) <= len(spoken.split()) // 5


@pytest.fixture(scope="module")
def samples():
    return soundfile.read(CLIP, dtype="int16")[0]


def connect(server, query=""):
    from websockets.sync.client import connect

    return connect(f"ws://{server.address}/v1/audio/stream{query}", open_timeout=30)


def test_samples_in_partial_and_final_text_out(server, spoken, samples):
    with connect(server) as client:
        for block in np.array_split(samples, 20):
            client.send(block.astype("<i2").tobytes())
        client.send('{"type": "end"}')
        results = [json.loads(message) for message in client]
    kinds = [result["type"] for result in results]
    assert kinds[0] == "partial"
    assert kinds[-2:] == ["final", "end"]
    text = " ".join(result["text"] for result in results if result["type"] == "final")
    assert similar(text, spoken)
    word = results[-2]["words"][0]
    assert word["text"] == text.split()[0]
    assert 0 <= word["start"] < word["end"]


def test_hotwords_of_a_stream(server, samples):
    found = []
    for query in ("", "?hotwords=seahorse,Goby", "?hotword=Goby%3DG+OW+B+AY%3A2"):
        with connect(server, query) as client:
            client.send(samples.astype("<i2").tobytes())
            client.send('{"type": "end"}')
            results = [json.loads(message) for message in client]
        texts = " ".join(result["text"] for result in results if result["type"] == "final")
        found.append("goby" in texts.split())
    assert found == [False, True, True]


def test_a_shorter_chunk_brings_text_sooner(server, samples):
    first = []
    for query in ("", "?chunk_ms=160&lookahead_ms=160&pause_ms=500"):
        with connect(server, query) as client:
            client.send(samples.astype("<i2").tobytes())
            client.send('{"type": "end"}')
            partials = [json.loads(message) for message in client]
        first.append(partials[0]["duration"])
    assert first[1] < first[0]


def test_another_sample_rate(server, spoken, samples):
    with connect(server, "?sample_rate=8000") as client:
        client.send(samples[::2].astype("<i2").tobytes())
        client.send('{"type": "end"}')
        finals = [json.loads(message) for message in client]
    assert any(result["type"] == "final" for result in finals)


@pytest.mark.parametrize(
    ("query", "message", "reason"),
    [
        ("", "nonsense", "after the last"),
        ("", "[1]", "after the last"),
        ("", b"abc", "16-bit"),
        ("?sample_rate=many", None, "a number"),
        ("?sample_rate=3", None, "sample rate"),
        ("?chunk_ms=long", None, "chunk_ms is a number of milliseconds"),
        ("?chunk_ms=-5", None, "chunk_ms"),
        ("?pause_ms=nan", None, "silence_seconds must be"),
        ("?sample_rate=nan", None, "sample rate"),
        ("?hotword=na%C3%AFve", None, "cannot be pronounced"),
        ("?hotwords=York:much", None, "weight"),
    ],
)
def test_nonsense_closes_with_a_reason(server, query, message, reason):
    from websockets.exceptions import ConnectionClosed

    with connect(server, query) as client:
        if message is not None:
            client.send(message)
        with pytest.raises(ConnectionClosed, match=reason):
            client.recv(timeout=30)


def test_the_number_of_streams_is_bounded(start, samples):
    from websockets.exceptions import ConnectionClosed

    server = start("--streams", "1")
    with connect(server) as first:
        first.send(samples[:16000].astype("<i2").tobytes())
        first.recv(timeout=30)
        with connect(server) as second, pytest.raises(ConnectionClosed, match="too many"):
            second.recv(timeout=30)
    with connect(server) as third:
        third.send(samples.astype("<i2").tobytes())
        assert json.loads(third.recv(timeout=30))["type"] == "partial"


def test_wyoming(start, spoken, samples):
    from wyoming.asr import Transcribe, Transcript
    from wyoming.audio import AudioChunk, AudioStart, AudioStop
    from wyoming.client import AsyncTcpClient
    from wyoming.error import Error
    from wyoming.info import Describe, Info

    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    start("--wyoming", f"tcp://127.0.0.1:{port}")

    async def talk():
        async with AsyncTcpClient("127.0.0.1", port) as client:
            await client.write_event(Describe().event())
            info = Info.from_event(await client.read_event())
            texts = []
            for _ in range(2):  # a connection is used again
                await client.write_event(Transcribe(language="en").event())
                form = {"rate": 16000, "width": 2, "channels": 1}
                await client.write_event(AudioStart(**form).event())
                for block in np.array_split(samples, 10):
                    chunk = AudioChunk(audio=block.astype("<i2").tobytes(), **form)
                    await client.write_event(chunk.event())
                await client.write_event(AudioStop().event())
                texts.append(Transcript.from_event(await client.read_event()).text)
        async with AsyncTcpClient("127.0.0.1", port) as client:
            await client.write_event(Transcribe(language="fr").event())
            refused = Error.from_event(await client.read_event()).text
        return info, texts, refused

    info, texts, refused = asyncio.run(talk())
    assert info.asr[0].models[0].languages == ["en"]
    assert similar(texts[0], spoken)
    assert texts[0] == texts[1]
    assert "English only" in refused


def test_bad_options_are_one_line(tmp_path):
    import subprocess
    import sys

    empty = tmp_path / "token"
    empty.write_text("\n")
    for arguments, words in (
        (["--host", "0.0.0.0"], "--token-file"),
        (["--token-file", str(empty)], "holds no token"),
        (["--token-file", str(tmp_path / "none")], "cannot be read"),
        (["--web", str(tmp_path)], "index.html"),
        (["--hotwords", str(tmp_path / "none")], "cannot be read as text"),
        (["--hotword", "York:much"], "for its weight"),
    ):
        done = subprocess.run(
            [sys.executable, "-m", "asr_runtime.serve", *arguments],
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 1
        assert words in done.stderr
        assert len(done.stderr.splitlines()) == 1


def test_a_port_that_is_taken(server):
    import subprocess
    import sys

    done = subprocess.run(
        [sys.executable, "-m", "asr_runtime.serve", "--port", server.address.split(":")[1]],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1
    assert "asr-serve: cannot listen at" in done.stderr
