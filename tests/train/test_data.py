"""Manifests, LibriSpeech, selection, batches, decoded audio."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from asr_train.data.audio_check import check_audio
from asr_train.data.audio_store import CachedStore, FileStore
from asr_train.data.batch_plan import PadTo, plan_epoch
from asr_train.data.batching import Collate, UtteranceDataset
from asr_train.data.filtering import select, select_and_report
from asr_train.data.librispeech import read_librispeech
from asr_train.data.manifest import Utterance, read_manifest
from asr_train.errors import DataError
from asr_train.model.config import preset


def test_manifest_rows_are_read_relative_to_it(write_manifest: Callable[..., Path]) -> None:
    path = write_manifest(["hello there", "bye"])
    rows = read_manifest(path)
    assert [row.text for row in rows] == ["hello there", "bye"]
    assert rows[0].audio == path.parent / "train-0.wav"
    assert rows[1].origin == f"{path}:2"


def _row(**changes: object) -> str:
    row = {"audio_filepath": "train-0.wav", "duration": 1.0, "text": "hi", **changes}
    return json.dumps({key: value for key, value in row.items() if value is not None})


@pytest.mark.parametrize(
    ("second_line", "message"),
    [
        ("{not json", r"jsonl:2: not JSON"),
        ("[1, 2]", r"jsonl:2: a JSON object is needed"),
        (_row(text=None), r"jsonl:2: the key 'text' is missing"),
        (_row(duration="long"), r"jsonl:2: 'duration' has the wrong type"),
        (_row(duration=0), r"jsonl:2: 'duration' must be more than 0"),
        (_row(audio_filepath="gone.wav"), r"jsonl:2: audio file not found: .*gone\.wav"),
    ],
)
def test_bad_manifest_rows_are_named(
    write_manifest: Callable[..., Path], second_line: str, message: str
) -> None:
    path = write_manifest(["hello"])
    path.write_text(path.read_text() + second_line + "\n")
    with pytest.raises(DataError, match=message):
        read_manifest(path)


def test_missing_and_empty_manifests(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot read the manifest"):
        read_manifest(tmp_path / "none.jsonl")
    empty = tmp_path / "empty.jsonl"
    empty.write_text("\n\n")
    with pytest.raises(DataError, match="manifest is empty"):
        read_manifest(empty)


def _utterance(text: str, duration: float = 5.0) -> Utterance:
    return Utterance(Path("x.wav"), duration, text, "", f"row '{text}'")


def test_unusable_rows_are_skipped_by_reason() -> None:
    rows = [
        _utterance("good"),
        _utterance("42 is foreign"),
        _utterance("naïve"),
        _utterance("much too short for this", 0.3),
        _utterance("  "),
        _utterance("far too long", 50.0),
    ]
    selection = select(rows, preset("edge"), max_seconds=30.0)
    assert [row.text for row in selection.kept] == ["good"]
    report = "\n".join(selection.report())
    assert "skipped 2: the transcript holds characters outside" in report
    assert "row '42 is foreign' ('24')" in report
    assert "skipped 1: the audio is too short for CTC" in report
    assert "skipped 1: the transcript is empty" in report
    assert "skipped 1: the audio is longer than 30 s" in report


def test_ctc_needs_a_blank_between_repeats() -> None:
    config = preset("edge")
    frames = 4
    duration = (frames - 1) * config.frame_stride / 16_000
    assert select([_utterance("abcd", duration)], config).kept
    with pytest.raises(DataError, match=r"no usable row is left.*too short for CTC"):
        select([_utterance("aabc", duration)], config)


def test_librispeech_layout_is_read(tmp_path: Path) -> None:
    folder = tmp_path / "LibriSpeech" / "train-clean-100" / "19" / "198"
    folder.mkdir(parents=True)
    soundfile.write(folder / "19-198-0000.flac", np.zeros(24_000), 16_000)
    (folder / "19-198.trans.txt").write_text("19-198-0000 NORTHANGER ABBEY\n")
    (row,) = read_librispeech(tmp_path, "train-clean-100")
    assert (row.text, row.speaker, row.duration) == ("northanger abbey", "19", 1.5)
    assert row.audio.is_file()


def test_missing_librispeech_says_where_it_looked(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"LibriSpeech.train-clean-100 is not there.*--download"):
        read_librispeech(tmp_path, "train-clean-100")


def test_batches_hold_every_utterance_once_within_the_size() -> None:
    durations = [1.0 + 0.37 * (index % 23) for index in range(200)]
    plan = plan_epoch(durations, 40.0, seed=3)
    assert sorted(index for batch in plan for index in batch) == list(range(200))
    padded = [len(batch) * max(durations[index] for index in batch) for batch in plan]
    assert max(padded) <= 40.0
    # Like lengths together: little of a batch is padding.
    assert sum(durations) / sum(padded) > 0.8
    assert plan == plan_epoch(durations, 40.0, seed=3)
    assert plan != plan_epoch(durations, 40.0, seed=4)


def test_pad_to_max_counts_and_pads_every_sample_at_the_longest() -> None:
    plan = plan_epoch([1.0, 2.0, 3.0, 4.0], 8.0, pad_to=PadTo.max, longest=4.0, seed=0)
    assert [len(batch) for batch in plan] == [2, 2]
    batch = Collate(pad_to_samples=64)([(0, np.ones(10, np.float32), [3, 4])])
    assert not isinstance(batch, DataError)
    assert batch.samples.shape == (1, 64)
    assert batch.lengths.tolist() == [10]


def test_every_process_gets_a_share_of_every_batch() -> None:
    plan = plan_epoch([50.0, 50.0, 1.0, 1.0, 1.0], 10.0, min_items=2, seed=0)
    assert sorted(index for batch in plan for index in batch) == [0, 1, 2, 3, 4]
    assert min(len(batch) for batch in plan) >= 2


def test_cached_audio_is_the_decoded_audio(
    write_manifest: Callable[..., Path], tmp_path: Path
) -> None:
    rows = read_manifest(write_manifest(["hello", "you"]))
    direct, cached = FileStore(rows), CachedStore(rows, tmp_path / "cache")
    again = CachedStore(rows, tmp_path / "cache")
    for index in range(2):
        np.testing.assert_allclose(cached[index], direct[index], atol=1 / 32768)
        np.testing.assert_array_equal(again[index], cached[index])
    # Another list of files is another cache.
    np.testing.assert_array_equal(CachedStore(rows[1:], tmp_path / "cache")[0], cached[1])


def test_other_rates_and_channels_become_16_khz_mono(tmp_path: Path) -> None:
    path = tmp_path / "stereo.wav"
    tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(8_000) / 8_000)
    soundfile.write(path, np.stack([tone, 0 * tone], axis=1), 8_000)
    samples = FileStore([Utterance(path, 1.0, "a", "", "row 1")])[0]
    assert abs(len(samples) - 16_000) <= 2
    assert abs(np.abs(samples[4_000:12_000]).max() - 0.25) < 0.02


@pytest.mark.parametrize("content", [b"", b"not audio at all" * 50])
def test_undecodable_audio_names_its_row(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bad.wav"
    path.write_bytes(content)
    row = Utterance(path, 1.0, "a", "", "train.jsonl:17")
    item = UtteranceDataset(["a"], FileStore([row]))[0]
    assert isinstance(item, DataError)
    assert "train.jsonl:17: cannot decode" in str(item)


def test_nan_audio_names_its_row(tmp_path: Path) -> None:
    path = tmp_path / "nan.wav"
    soundfile.write(path, np.full(100, np.nan), 16_000, subtype="FLOAT")
    with pytest.raises(DataError, match=r"train.jsonl:3: .* NaN or infinite"):
        FileStore([Utterance(path, 1.0, "a", "", "train.jsonl:3")])[0]


class TestAudioCheck:
    """What the runtime refuses, training and evaluation skip; true durations count."""

    @pytest.fixture
    def rows(self, tmp_path: Path) -> dict[str, Utterance]:
        noise = np.random.default_rng(0).uniform(-0.5, 0.5, 48_000)
        rows = {}
        for form in ("WAV", "FLAC", "MP3", "OGG", "AIFF"):
            path = tmp_path / f"a.{form.lower()}"
            soundfile.write(path, noise, 16_000, format=form)
            rows[form] = Utterance(path, 3.0, "a", "", f"train.jsonl:{form}")
        return rows

    def test_whole_files_are_kept_as_they_are(self, rows: dict[str, Utterance]) -> None:
        check = check_audio(list(rows.values()))
        assert check.kept == list(rows.values())
        assert check.report() == []

    def test_damage_is_skipped_and_counted(
        self, rows: dict[str, Utterance], capsys: pytest.CaptureFixture[str]
    ) -> None:
        damaged = [rows[form] for form in ("WAV", "MP3", "OGG", "AIFF")]
        for row in damaged:
            content = row.audio.read_bytes()
            row.audio.write_bytes(content[: len(content) // 2])
            with pytest.raises(DataError, match=rf"{row.origin}: cannot decode .* cut off"):
                FileStore([row])[0]
        kept = select_and_report(list(rows.values()), preset("edge"), "train")
        assert kept == [rows["FLAC"]]
        told = capsys.readouterr().err
        assert "train: skipped 4: the audio cannot be used, e.g. train.jsonl:WAV (" in told
        assert "is cut off or damaged" in told
        with pytest.raises(DataError, match="no usable row is left: skipped 4: the audio cannot"):
            select_and_report(damaged, preset("edge"), "train")

    @pytest.mark.parametrize("stated", [1.0, 20.0, float("inf"), float("nan")])
    def test_durations_far_from_the_file_are_replaced(
        self, rows: dict[str, Utterance], stated: float
    ) -> None:
        wrong, right = replace(rows["WAV"], duration=stated), replace(rows["FLAC"], duration=3.1)
        check = check_audio([wrong, right])
        assert [row.duration for row in check.kept] == [3.0, 3.1]
        assert check.report()[0].startswith("1 durations are far from the file's")
        assert f"({stated:g} s, not 3.00 s)" in check.report()[0]
