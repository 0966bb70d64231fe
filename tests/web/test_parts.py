"""Resampling, seams, WAV files, subtitles and file formats of the browser's recogniser, in Node."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import soxr

from asr_runtime import Word
from asr_runtime.recordings.stitching import SeamConfig, find_seam
from asr_runtime.subtitles import to_srt, to_vtt

ROOT = Path(__file__).parents[2]
MODEL = ROOT / "runtime" / "asr_runtime" / "models" / "edge.onnx"
SMALL_LANGUAGE_MODEL = ROOT / "runtime" / "language_models" / "english-small.lm"
Ask = Callable[..., list[Any]]


@pytest.mark.parametrize("rate", [8_000, 44_100, 48_000])
def test_resampled_sound_is_that_of_soxr(rate: int, ask: Ask, tmp_path: Path) -> None:
    time = np.arange(rate) / rate
    tones = sum(np.sin(2 * np.pi * hertz * time + hertz) for hertz in (120, 700, 2500, 3500))
    sound = (0.2 * tones * np.hanning(rate)).astype("<f4")
    sound.tofile(tmp_path / "sound.bin")
    case = {"operation": "resample", "samples": "sound.bin", "from": rate, "to": 16_000}
    whole, divided = ask(case | {"block": rate}, case | {"block": 777})
    assert whole == divided
    expected = soxr.resample(sound, rate, 16_000, quality="HQ")
    assert abs(len(whole) - len(expected)) <= 1
    number = min(len(whole), len(expected))
    difference = np.array(whole[:number]) - expected[:number]
    assert np.sqrt(np.mean(difference**2)) < 1e-3 * np.sqrt(np.mean(expected**2))


def test_what_a_lower_rate_cannot_hold_is_left_out(ask: Ask, tmp_path: Path) -> None:
    time = np.arange(48_000) / 48_000
    np.sin(2 * np.pi * 12_000 * time).astype("<f4").tofile(tmp_path / "sound.bin")
    case = {"operation": "resample", "samples": "sound.bin", "from": 48_000, "to": 16_000}
    [quiet] = ask(case | {"block": 4096})
    assert np.abs(quiet[500:-500]).max() < 1e-3


def test_seams_are_pythons(ask: Ask, tmp_path: Path) -> None:
    random = np.random.default_rng(5)
    config = SeamConfig(margin=10, pause=8, reach=5)
    cases, expected = [], []
    for index in range(30):
        frames = int(random.integers(1, 90))
        # Long blanks in some, speech without a pause in others, windows that agree more or less.
        scores = random.normal(0, 3, (frames, 6)).repeat(3, axis=0)[:frames]
        scores[:, 5] += random.choice([0.0, 3.0, 8.0])
        both = []
        for name in ("before", "after"):
            raw = scores + random.normal(0, 1.0, scores.shape)
            rows = (raw - np.log(np.exp(raw).sum(axis=1, keepdims=True))).astype("<f4")
            rows.tofile(tmp_path / f"{name}{index}.bin")
            both.append(rows)
        expected.append(find_seam(both[0], both[1], 5, config))
        case = {"before": f"before{index}.bin", "after": f"after{index}.bin"}
        case |= {"operation": "seam", "width": 6, "blank": 5, "config": vars(config)}
        cases.append(case)
    assert ask(*cases) == expected
    assert len(set(expected)) > 10


@pytest.mark.parametrize(
    ("subtype", "channels"), [("PCM_U8", 1), ("PCM_16", 2), ("PCM_24", 1), ("FLOAT", 2)]
)
def test_wav_files_are_read_as_soundfile_does(
    subtype: str, channels: int, ask: Ask, tmp_path: Path
) -> None:
    noise = np.random.default_rng(1).uniform(-0.5, 0.5, (700, channels)).astype(np.float32)
    soundfile.write(tmp_path / "noise.wav", noise, 22_050, subtype=subtype)
    expected, _ = soundfile.read(tmp_path / "noise.wav", dtype="float32", always_2d=True)
    [found] = ask({"operation": "wav", "file": "noise.wav"})
    assert found["sampleRate"] == 22_050
    assert found["samples"] == pytest.approx(expected.mean(axis=1).tolist(), abs=1e-6)


def test_a_wav_file_that_was_cut_off_is_refused(ask: Ask, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "whole.wav", np.zeros(8000), 16_000)
    content = (tmp_path / "whole.wav").read_bytes()
    (tmp_path / "part.wav").write_bytes(content[:9000])
    (tmp_path / "other.wav").write_bytes(b"OggS" + bytes(100))
    part, other = (ask({"operation": "wav", "file": name})[0] for name in ("part.wav", "other.wav"))
    assert "cut off" in part
    assert other is None


def letters(words: list[Word]) -> list[dict[str, Any]]:
    """The characters of words, a space between them."""
    tokens: list[dict[str, Any]] = []
    for word in words:
        if tokens:
            tokens.append({"text": " ", "start": word.start, "end": word.start, "confidence": 1.0})
        bounds = np.linspace(word.start, word.end, len(word.text) + 1).tolist()
        tokens += [
            {"text": letter, "start": start, "end": end, "confidence": word.confidence}
            for letter, start, end in zip(word.text, bounds, bounds[1:], strict=False)
        ]
    return tokens


def test_subtitles_are_pythons(ask: Ask) -> None:
    random = np.random.default_rng(8)
    chosen = ["the", "of", "mister", "a", "characteristically", "home,", "there.", "unquestionably"]
    cases, expected = [], []
    for number in (0, 1, 7, 60, 300):
        words, time = [], 0.0
        for _ in range(number):
            time = round(time + float(random.choice([0.03, 0.06, 0.3, 0.6, 2.4])), 3)
            end = round(time + float(random.uniform(0.05, 1.2)), 3)
            words.append(Word(str(random.choice(chosen)), time, end, 0.5))
            time = end
        sentence = {"text": " ".join(word.text for word in words), "confidence": 0.5}
        sentence |= {"tokens": letters(words), "start": 0, "duration": time}
        for kind, write in (("srt", to_srt), ("vtt", to_vtt)):
            cases.append({"operation": "format", "sentences": [sentence], "kind": kind})
            expected.append(write(words))
    assert ask(*cases) == expected


def test_text_and_json(ask: Ask) -> None:
    words = [Word("one", 1.0, 1.2, 0.5), Word("two", 1.5, 1.9, 0.25)]
    sentence = {"text": "one two", "confidence": 0.5, "tokens": letters(words)}
    sentence |= {"start": 0, "duration": 5}
    kinds = ("txt", "json")
    cases = [{"operation": "format", "sentences": [sentence] * 2, "kind": kind} for kind in kinds]
    text, as_json = ask(*cases)
    assert text == "one two\none two\n"
    written = json.loads(as_json)
    assert written["text"] == "one two one two"
    assert written["sentences"][1]["words"] == [word.to_dict() for word in words]


def test_the_models_card_is_read_from_the_file(ask: Ask) -> None:
    [found] = ask({"operation": "card", "file": str(MODEL)})
    assert found["card"]["frame_stride"] == 480
    # The defaults of the streaming inputs are left out.
    assert MODEL.stat().st_size - 6000 < found["size"] < MODEL.stat().st_size


def test_a_damaged_language_model_is_one_line(ask: Ask, tmp_path: Path) -> None:
    content = bytearray(SMALL_LANGUAGE_MODEL.read_bytes())
    (tmp_path / "short.lm").write_bytes(content[:-5])
    content[-70_000] ^= 1
    (tmp_path / "changed.lm").write_bytes(content)
    (tmp_path / "other.lm").write_bytes(b"nothing of the kind, but long enough")
    names = ("short.lm", "changed.lm", "other.lm")
    short, changed, other = ask(*({"operation": "languageModel", "file": name} for name in names))
    assert short == changed == "The language model is damaged or cut off; load the page again."
    assert "no language model" in other
