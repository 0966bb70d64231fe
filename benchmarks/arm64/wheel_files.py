"""What a folder of wheels holds, read from the files themselves: sizes, machines, page sizes."""

import struct
import zipfile
from dataclasses import dataclass
from pathlib import Path

MACHINES = {40: "arm", 62: "x86_64", 183: "aarch64"}
_LOAD_SEGMENT = 1


@dataclass(frozen=True, slots=True)
class Wheel:
    """One wheel. `machines` are those of its native libraries; none if it is pure Python.

    `page_size` is the largest memory page, in bytes, with which all its libraries can be loaded.
    """

    name: str
    size: int
    machines: frozenset[str]
    page_size: int | None


def read_wheels(folder: Path) -> list[Wheel]:
    """All wheels of a folder, by name."""
    return [_read_wheel(path) for path in sorted(folder.glob("*.whl"))]


def _read_wheel(path: Path) -> Wheel:
    machines, page_sizes = set(), []
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            with archive.open(name) as file:
                if file.read(4) != b"\x7fELF":
                    continue
            machine, page_size = read_elf(archive.read(name))
            machines.add(machine)
            page_sizes.append(page_size)
    return Wheel(path.name, path.stat().st_size, frozenset(machines), min(page_sizes, default=None))


def read_elf(content: bytes) -> tuple[str, int]:
    """The machine of a 64-bit little-endian ELF file, and the largest page it can be loaded with.

    A page is possible where it divides every loaded segment's alignment, and where each segment's
    place in memory and in the file agree within a page: the kernel maps whole pages only.

    Raises:
        ValueError: the file is of another kind.
    """
    if content[4:6] != b"\x02\x01":
        raise ValueError("not a 64-bit little-endian ELF file")
    (machine,) = struct.unpack_from("<H", content, 18)
    (table,) = struct.unpack_from("<Q", content, 32)
    entry_size, entries = struct.unpack_from("<HH", content, 54)
    page_size = 1 << 16  # the largest one that 64-bit ARM has
    for index in range(entries):
        at = table + index * entry_size
        kind, _, offset, address = struct.unpack_from("<IIQQ", content, at)
        (alignment,) = struct.unpack_from("<Q", content, at + 48)
        if kind == _LOAD_SEGMENT:
            while page_size > alignment or (address - offset) % page_size:
                page_size //= 2
    return MACHINES.get(machine, str(machine)), page_size
