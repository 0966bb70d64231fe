"""Manifests as other tools write them, and LibriSpeech folders as they lie on disks."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from asr_train.data.librispeech import read_librispeech
from asr_train.data.manifest import read_manifest
from asr_train.errors import DataError

CLIP = Path(__file__).parents[2] / "runtime" / "demo" / "demo.flac"
ROW = {"audio_filepath": "a.flac", "duration": 6.526, "text": "the old man", "speaker": "s"}


@pytest.fixture
def write(tmp_path: Path):
    shutil.copy(CLIP, tmp_path / "a.flac")

    def manifest(*rows: dict[str, object], start: str = "", end: str = "\n") -> Path:
        text = start + end.join(json.dumps(ROW | row, ensure_ascii=False) for row in rows) + end
        (tmp_path / "m.jsonl").write_bytes(text.encode())
        return tmp_path / "m.jsonl"

    return manifest


@pytest.mark.parametrize("end", ["\n", "\r\n", "\n\n"])
def test_byte_order_mark_and_line_ends(write, end: str) -> None:
    rows = read_manifest(write({}, {"text": "by the window"}, start="\ufeff", end=end))
    assert [row.text for row in rows] == ["the old man", "by the window"]


def test_line_separators_within_a_text(write) -> None:
    text = "the old\u2028man\u0085sat\u000bdown"
    assert [row.text for row in read_manifest(write({"text": text}, {}))] == [text, "the old man"]


@pytest.mark.parametrize("duration", [float("inf"), float("nan"), -1, 0])
def test_a_duration_that_is_none(write, duration: float) -> None:
    with pytest.raises(DataError, match=r"m\.jsonl:2: 'duration' must be more than 0 s"):
        read_manifest(write({}, {"duration": duration}))


def test_the_home_folder(write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert read_manifest(write({"audio_filepath": "~/a.flac"}))[0].audio == tmp_path / "a.flac"
    with pytest.raises(DataError, match="audio file not found"):
        read_manifest(write({"audio_filepath": "~nobody-at-all/a.flac"}))


@pytest.fixture
def chapter(tmp_path: Path) -> Path:
    folder = tmp_path / "LibriSpeech" / "dev-clean" / "1" / "2"
    folder.mkdir(parents=True)
    for number in (0, 1):
        shutil.copy(CLIP, folder / f"1-2-000{number}.flac")
    (folder / "1-2.trans.txt").write_text("1-2-0000 THE OLD MAN\n1-2-0001 BY THE WINDOW\n")
    return folder


def test_a_whole_folder(chapter: Path, tmp_path: Path) -> None:
    (chapter / "._1-2-0000.flac").write_bytes(b"\0\5\x16\7" + bytes(80))  # a Mac's
    (chapter / "._1-2.trans.txt").write_bytes(b"\0\5\x16\7" + bytes(80))
    rows = read_librispeech(tmp_path, "dev-clean")
    found = [(row.audio.name, row.text, row.speaker) for row in rows]
    assert found == [
        ("1-2-0000.flac", "the old man", "1"),
        ("1-2-0001.flac", "by the window", "1"),
    ]
    assert rows[0].duration == pytest.approx(6.526, abs=0.01)


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda folder: (folder / "1-2.trans.txt").unlink(), "no utterances"),
        (lambda folder: (folder / "1-2-0001.flac").unlink(), r"1-2-0001\.flac is not there"),
        (
            lambda folder: (folder / "1-2.trans.txt").write_text("1-2-0001 BY THE WINDOW\n"),
            r"1-2-0000\.flac: has no transcript",
        ),
        (lambda folder: (folder / "1-2-0001.flac").write_bytes(b""), "cannot read the audio"),
        (lambda folder: (folder / "1-2.trans.txt").write_bytes(b"\xff\xfe"), "cannot be read"),
    ],
)
def test_a_folder_that_was_not_unpacked_wholly(
    chapter: Path, tmp_path: Path, damage, words
) -> None:
    damage(chapter)
    with pytest.raises(DataError, match=words) as caught:
        read_librispeech(tmp_path, "dev-clean")
    assert "\n" not in str(caught.value)
