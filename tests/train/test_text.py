"""Text of any kind becomes lines in the alphabet of the transcripts."""

from __future__ import annotations

import gzip
import json
import lzma
from pathlib import Path

import pytest

from asr_train.data.text import CorpusReport, read_blocks
from asr_train.errors import DataError


class TestCorpus:
    def read(self, *paths: Path) -> tuple[bytes, CorpusReport]:
        report = CorpusReport()
        return b"".join(read_blocks(list(paths), report)), report

    def test_any_text(self, tmp_path: Path) -> None:
        text = "It\u2019s Café 7!\nplain words\n\u2018Quoted\u2019 well-known ' rock 'n' roll\n"
        (tmp_path / "a.txt").write_text(text, encoding="utf-8")
        found, report = self.read(tmp_path / "a.txt")
        lines = [line.split() for line in found.decode().splitlines()]
        assert lines[0] == ["it's", "cafe"]
        assert lines[1] == ["plain", "words"]
        assert lines[2][1:3] == ["well", "known"]
        assert "'" not in lines[2]
        assert (report.lines, report.changed_lines) == (3, 2)

    def test_compressed_and_manifest_are_the_same_text(self, tmp_path: Path) -> None:
        lines = [f"the cat {word} on a mat" for word in ("sat", "ran", "slept") for _ in range(7)]
        text = "\n".join(lines) + "\n"
        (tmp_path / "a.txt").write_text(text)
        with gzip.open(tmp_path / "a.gz", "wt") as file:
            file.write(text)
        with lzma.open(tmp_path / "a.xz", "wt") as file:
            file.write(text)
        (tmp_path / "a.jsonl").write_text(
            "".join(json.dumps({"text": line, "other": 1}) + "\n" for line in lines)
        )
        plain, report = self.read(tmp_path / "a.txt")
        assert plain.decode() == text
        assert report.changed_lines == 0
        for name in ("a.gz", "a.xz", "a.jsonl"):
            assert self.read(tmp_path / name)[0] == plain

    @pytest.mark.parametrize(
        ("name", "content", "problem"),
        [
            ("a.txt", b"\xff\xfe", "UTF-8"),
            ("a.txt", b"123 ...\n", "no words"),
            ("a.txt", b"", "no words"),
            ("a.xz", b"not xz at all", "cannot read the text"),
            ("a.gz", b"not gzip at all", "cannot read the text"),
            ("a.jsonl", b'{"a": 1}\n', r"a\.jsonl:1: not a JSON object with a 'text'"),
            ("a.jsonl", b'{"text": 1}\n', "wrong type"),
        ],
    )
    def test_unusable(self, tmp_path: Path, name: str, content: bytes, problem: str) -> None:
        (tmp_path / name).write_bytes(content)
        with pytest.raises(DataError, match=problem):
            self.read(tmp_path / name)

    def test_missing(self, tmp_path: Path) -> None:
        with pytest.raises(DataError, match="none"):
            self.read(tmp_path / "none.txt")
        with pytest.raises(DataError, match="folder"):
            self.read(tmp_path)
