"""The examples do what they say, as programs of their own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import soundfile

from asr_runtime import Recognizer

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
CLIP = ROOT / "runtime" / "demo" / "demo.flac"
MODEL = ROOT / "runtime" / "asr_runtime" / "models" / "edge.onnx"

#: Stands in for sounddevice where there is no microphone: plays the clip, then Ctrl-C is pressed.
MICROPHONE = """
import soundfile

class InputStream:
    def __init__(self, channels, dtype):
        samples, self.samplerate = soundfile.read({clip!r}, dtype=dtype, always_2d=True)
        assert channels == samples.shape[1]
        self._samples = samples

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def read(self, frames):
        if not len(self._samples):
            raise KeyboardInterrupt
        samples, self._samples = self._samples[:frames], self._samples[frames:]
        return samples, False
"""


@pytest.fixture(scope="module")
def spoken() -> str:
    return Recognizer.load(device="cpu").transcribe(CLIP).text


def run(name: str, *arguments: object, path: Path | None = None) -> subprocess.CompletedProcess:
    """Run an example; ``path`` is looked in first for what it imports."""
    places = [str(path)] if path else []
    places += filter(None, [os.environ.get("PYTHONPATH")])
    return subprocess.run(
        [sys.executable, EXAMPLES / name, *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(places)},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
    )


def test_every_example_is_in_the_readme() -> None:
    text = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    programs = [path for kind in ("py", "cpp") for path in EXAMPLES.rglob(f"*.{kind}")]
    names = [path.relative_to(EXAMPLES).as_posix() for path in programs]
    assert [name for name in names if f"({name})" not in text] == []


def test_transcribe_file_prints_text_and_words(spoken: str) -> None:
    done = run("transcribe_file.py", CLIP)
    text, *words = done.stdout.splitlines()
    assert (done.returncode, done.stderr) == (0, "")
    assert text.rpartition(" ")[0] == spoken
    assert [line.split()[2] for line in words] == spoken.split()


def test_transcribe_file_says_in_a_line_what_is_wrong(tmp_path: Path) -> None:
    done = run("transcribe_file.py", tmp_path / "nothing.wav")
    assert done.returncode == 1
    assert "nothing.wav" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_live_microphone_shows_sentences_until_ctrl_c(spoken: str, tmp_path: Path) -> None:
    (tmp_path / "sounddevice.py").write_text(MICROPHONE.format(clip=str(CLIP)), encoding="utf-8")
    done = run("live_microphone.py", path=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    # Read as text, the return to the line's beginning is a new line.
    shown = [line.removeprefix("\033[K") for line in done.stdout.splitlines() if line]
    assert similar(" ".join(shown), spoken)
    assert spoken.startswith(shown[0]), "the sentence grows while it is spoken"
    assert len(shown[0]) < len(shown[1]) < len(shown[-1])
    assert shown[-1].split()[-1] == spoken.split()[-1], "what came last is finished"


def test_plain_onnx_runtime_reads_what_the_greedy_decoder_reads(tmp_path: Path) -> None:
    samples, rate = soundfile.read(CLIP, dtype="int16")
    soundfile.write(tmp_path / "demo.wav", samples, rate)
    done = run("export_and_run_onnxruntime.py", MODEL, tmp_path / "demo.wav")
    greedy = Recognizer.load(device="cpu", decoder="greedy").transcribe(tmp_path / "demo.wav")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.strip() == greedy.text != ""


def test_plain_onnx_runtime_needs_nothing_of_ours() -> None:
    text = (EXAMPLES / "export_and_run_onnxruntime.py").read_text(encoding="utf-8")
    assert "asr_runtime import" not in text
    assert "import asr_runtime" not in text
    assert len(text.rpartition('"""\n\nimport')[2].splitlines()) <= 25


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The C++ example's command, linked with the library that onnxruntime's wheel brings."""
    compiler, headers = shutil.which("g++"), os.environ.get("ONNXRUNTIME_INCLUDE")
    libraries = Path(onnxruntime.__file__).parent.glob("capi/libonnxruntime.so.1.*")
    library = next(libraries, None)
    if compiler is None or headers is None or library is None:
        pytest.skip("needs g++, and ONNX Runtime's headers in the folder ONNXRUNTIME_INCLUDE")
    folder = tmp_path_factory.mktemp("cpp")
    for name in ("libonnxruntime.so", "libonnxruntime.so.1"):
        (folder / name).symlink_to(library)
    warnings = ["-Wall", "-Wextra", "-Werror"]
    source, linked = EXAMPLES / "cpp" / "transcribe.cpp", ["-L", folder, "-lonnxruntime"]
    target = [f"-Wl,-rpath,{folder}", "-o", folder / "transcribe"]
    subprocess.run(
        [compiler, "-std=c++17", *warnings, "-isystem", headers, source, *linked, *target],
        check=True,
        timeout=120,
    )
    return [str(folder / "transcribe")]


def test_cpp_reads_what_the_greedy_decoder_reads(compiled: list[str], tmp_path: Path) -> None:
    samples, rate = soundfile.read(CLIP, dtype="int16")
    whole, cut = tmp_path / "demo.wav", tmp_path / "cut.wav"
    soundfile.write(whole, samples, rate)
    cut.write_bytes(whole.read_bytes()[:-1000])
    greedy = Recognizer.load(device="cpu", decoder="greedy").transcribe(whole)
    done = subprocess.run([*compiled, MODEL, whole], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr, done.stdout.strip()) == (0, "", greedy.text)
    done = subprocess.run([*compiled, MODEL, cut], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"{cut} is cut off\n"


def test_web_socket_serves_several_clients_and_refuses_nonsense(spoken: str) -> None:
    client = pytest.importorskip("websockets.sync.client")
    closed = pytest.importorskip("websockets.exceptions").ConnectionClosed
    samples, _ = soundfile.read(CLIP, dtype="int16")
    server = subprocess.Popen(
        [sys.executable, EXAMPLES / "web_socket.py", "0"], stdout=subprocess.PIPE, text=True
    )
    try:
        assert server.stdout is not None
        address = server.stdout.readline().split()[-1]
        with client.connect(address) as first, client.connect(address) as second:
            for block in np.array_split(samples, 20):
                first.send(block.astype("<i2").tobytes())
            second.send("nonsense")
            with pytest.raises(closed, match="16-bit samples"):
                second.recv(timeout=60)
            first.send("end")
            results = [json.loads(message) for message in first]
        finished = " ".join(result["text"] for result in results if result["is_final"])
        assert similar(finished, spoken)
        assert not results[0]["is_final"]
    finally:
        server.kill()
        server.wait()
        server.stdout.close()


def similar(live: str, spoken: str) -> bool:
    """Streams look less far ahead, so that one word in five may differ."""
    return len(set(spoken.split()) - set(live.split())) <= len(spoken.split()) // 5
