"""Text of any kind as lines in the alphabet of the transcripts: ``a``-``z``, ``'`` and space."""

from __future__ import annotations

import gzip
import io
import json
import lzma
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from asr_train.errors import DataError

_BLOCK_CHARACTERS = 1 << 22
_APOSTROPHES = str.maketrans({"\u2019": "'", "\u02bc": "'", "`": "'"})
_KEPT = b"'abcdefghijklmnopqrstuvwxyz"
# Every other character ends a word; a line's end stays.
_TO_SPACE = bytes(code if code in _KEPT or code == ord("\n") else ord(" ") for code in range(256))
_FOREIGN = bytes(code for code in range(256) if code not in _KEPT + b" \n")


@dataclass
class CorpusReport:
    """What reading found: lines, those that held other characters, and words."""

    lines: int = 0
    changed_lines: int = 0
    words: int = 0

    def __str__(self) -> str:
        return (
            f"{self.lines:,} lines, {self.words:,} words; {self.changed_lines:,} lines held "
            "characters other than a-z, ' and space, which were dropped"
        )


def read_blocks(
    paths: list[Path], report: CorpusReport, progress: Callable[[int], object] | None = None
) -> Iterator[bytes]:
    """Normalised text in blocks of whole lines, ASCII, each line ended by a newline.

    The text is lower-cased and loses its accents; every other character becomes a space.

    Args:
        paths: plain text, ``.xz`` or ``.gz``, one sentence a line; the texts of a ``.jsonl``
            manifest.
        report: counts what is read as it is read.
        progress: called with the number of bytes of a file that each block took.

    Yields:
        Lines, some 4 MB at a time.

    Raises:
        DataError: a file that cannot be read or decompressed, is not UTF-8, or holds no words.
    """
    for path in paths:
        words_before = report.words
        try:
            with _open(path) as raw, _decompressed(raw, path) as file:
                done = 0
                for text in _blocks(file, path):
                    if progress is not None:
                        progress(raw.tell() - done)
                        done = raw.tell()
                    yield _normalise(text, report)
        except (OSError, EOFError, lzma.LZMAError) as error:
            reason = getattr(error, "strerror", None) or error
            raise DataError(f"{path}: cannot read the text: {reason}") from None
        except UnicodeDecodeError:
            raise DataError(f"{path}: not a UTF-8 text file; convert it first") from None
        if report.words == words_before:
            raise DataError(f"{path}: holds no words; it needs one sentence a line")


def total_bytes(paths: list[Path]) -> int:
    """Size of the files, 0 for what is none."""
    return sum(path.stat().st_size for path in paths if path.is_file())


def _open(path: Path) -> BinaryIO:
    if path.is_dir():
        raise DataError(f"{path}: is a folder; give a text file")
    return path.open("rb")


def _decompressed(raw: BinaryIO, path: Path) -> io.TextIOWrapper:
    content: BinaryIO = raw
    if path.suffix == ".xz":
        content = cast(BinaryIO, lzma.LZMAFile(raw))  # noqa: SIM115 - the caller closes it
    elif path.suffix == ".gz":
        content = cast(BinaryIO, gzip.GzipFile(fileobj=raw))
    return io.TextIOWrapper(content, encoding="utf-8", newline="\n")


def _blocks(file: io.TextIOWrapper, path: Path) -> Iterator[str]:
    lines = iter(lambda: file.readlines(_BLOCK_CHARACTERS), [])
    first = 1
    for block in lines:
        if path.suffix == ".jsonl":
            yield "".join(
                _manifest_text(line, f"{path}:{number}") + "\n"
                for number, line in enumerate(block, start=first)
                if line.strip()
            )
        else:
            yield "".join(block) if block[-1].endswith("\n") else "".join(block) + "\n"
        first += len(block)


def _manifest_text(line: str, origin: str) -> str:
    try:
        text = json.loads(line)["text"]
    except (ValueError, KeyError, TypeError):
        raise DataError(f"{origin}: not a JSON object with a 'text'") from None
    if not isinstance(text, str):
        raise DataError(f"{origin}: 'text' has the wrong type ({text!r})")
    return " ".join(text.split())


def _normalise(text: str, report: CorpusReport) -> bytes:
    lowered = text.lower()
    if not lowered.isascii():
        changed = [not line.isascii() for line in lowered.split("\n")]
        lowered = unicodedata.normalize("NFKD", lowered.translate(_APOSTROPHES))
        # Accents come off their letters; what else is left becomes a space below.
        lowered = "".join(c for c in lowered if not unicodedata.combining(c))
        encoded = lowered.encode("ascii", "replace")
    else:
        changed = []
        encoded = lowered.encode("ascii")
    lines = encoded.split(b"\n")
    if changed:
        report.changed_lines += sum(
            other or len(line.translate(None, _FOREIGN)) < len(line)
            for other, line in zip(changed, lines, strict=True)
        )
    elif len(encoded.translate(None, _FOREIGN)) < len(encoded):
        report.changed_lines += sum(
            len(line.translate(None, _FOREIGN)) < len(line) for line in lines
        )
    clean = encoded.translate(_TO_SPACE)
    # An apostrophe by itself is a quotation mark.
    while b" ' " in clean:
        clean = clean.replace(b" ' ", b"  ")
    report.lines += len(lines) - 1
    report.words += len(clean.split())
    return clean
