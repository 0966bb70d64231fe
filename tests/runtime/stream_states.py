"""Runs ``asr-run`` with standard streams in all kinds of states.

It is quick, because what is slow to import is imported once, and every run is a fork of that
process. A fork sets its streams up as Python does when it starts, and ends as Python does, so that
what fails in the last flush shows.

``python stream_states.py CASES RESULTS`` reads a list of cases as JSON, each with ``arguments``,
``input`` (a file for standard input), and the state of ``stdin``, ``stdout`` and ``stderr``.
"""

from __future__ import annotations

import gc
import io
import json
import os
import pty
import select
import sys
import tempfile
import time
from importlib import import_module
from typing import Any

OUTPUT_STATES = ("file", "closed", "full", "broken", "readonly", "terminal", "impatient")
"""``impatient`` is a pipe that is full and refuses what it cannot take at once."""

TAKING_STATES = ("file", "terminal", "impatient")
"""States of outputs that take what is written."""

INPUT_STATES = ("file", "closed", "unreadable", "terminal", "empty")

_IMPORTED = (
    "asr_runtime.command.align",
    "asr_runtime.command.diagnosis",
    "asr_runtime.command.listen",
    "asr_runtime.command.listening",
    "asr_runtime.command.many_files",
    "asr_runtime.command.subtitle_writer",
    "asr_runtime.command.transcribe",
    "asr_runtime.recordings.transcriber",
    "onnxruntime",
    "soundfile",
    "soxr",
)

_INPUT, _OUTPUT, _ERROR = 0, 1, 2
_FILLING = b"\0"  # that was in a pipe before
_PATIENCE_SECONDS = 0.1  # before the reader of a full pipe begins to read


def main() -> None:
    """Run all cases."""
    # What a run imports anyway.
    for module in _IMPORTED:
        import_module(module)

    gc.freeze()  # what is there already need not be looked through in every fork
    with open(sys.argv[1], encoding="utf-8") as file:
        cases = json.load(file)
    results = [run(case) for case in cases]
    with open(sys.argv[2], "w", encoding="utf-8") as file:
        json.dump(results, file)


def run(case: dict[str, Any]) -> dict[str, Any]:
    """Run one case: its status, and what was written to each output that takes anything."""
    states = case["stdin"], case["stdout"], case["stderr"]
    files = [tempfile.TemporaryFile() for _ in states]  # noqa: SIM115
    readers: list[int | None] = [None, None, None]
    ends: list[int | None] = []
    for number, state in enumerate(states):
        if state == "closed":
            end = None
        elif state == "terminal":
            readers[number], end = pty.openpty()
        elif state == "full":
            end = os.open("/dev/full", os.O_RDWR)
        elif state == "broken":
            reader, end = os.pipe()
            os.close(reader)
        elif state == "impatient":
            readers[number], end = _full_pipe()
        elif state in ("readonly", "empty"):
            end = os.open(os.devnull, os.O_RDONLY)
        elif state == "unreadable":
            end = os.open(os.devnull, os.O_WRONLY)
        elif number == _INPUT:
            end = os.open(case["input"], os.O_RDONLY)
        else:
            end = os.dup(files[number].fileno())
        ends.append(end)
    child = os.fork()
    if not child:
        _become_command(case["arguments"], ends)
        raise AssertionError("the command returned")
    for end in ends:
        if end is not None:
            os.close(end)
    status = _collect(child, readers, files)
    result = {"status": os.waitstatus_to_exitcode(status)}
    for name, file in zip(("stdout", "stderr"), files[1:], strict=True):
        file.seek(0)
        result[name] = file.read().lstrip(_FILLING).decode().replace("\r\n", "\n")
    return result


def _full_pipe() -> tuple[int, int]:
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    try:
        while True:
            os.write(writer, _FILLING * 4096)
    except BlockingIOError:
        return reader, writer


def _collect(child: int, readers: list[int | None], files: list[Any]) -> int:
    """Keep what a child writes until it ends, and return its status as the system gives it."""
    open_readers = {fd: files[number] for number, fd in enumerate(readers) if fd is not None}
    begin = time.monotonic()
    ended, status = 0, 0
    while not ended or open_readers:
        if not ended:
            ended, status = os.waitpid(child, os.WNOHANG)
        if not ended and time.monotonic() - begin < _PATIENCE_SECONDS:
            time.sleep(0.002)
            continue
        ready, _, _ = select.select(list(open_readers), [], [], 0.01)
        for fd in ready:
            try:
                data = os.read(fd, 65536)
            except OSError:  # a terminal of which the other end is closed
                data = b""
            open_readers[fd].write(data)
            if not data:
                os.close(fd)
                del open_readers[fd]
    return status


def _become_command(arguments: list[str], ends: list[int | None]) -> None:
    """Run the command in place of this process, and end it."""
    # Above the standard numbers, so that none is overwritten before it is used.
    import fcntl

    spare = [None if end is None else fcntl.fcntl(end, fcntl.F_DUPFD, 10) for end in ends]
    for number, end in enumerate(spare):
        if end is None:
            os.close(number)
        else:
            os.dup2(end, number)
    os.closerange(3, 256)
    sys.stdin = sys.__stdin__ = _opened(_INPUT, ends)  # type: ignore[assignment,misc]
    sys.stdout = sys.__stdout__ = _opened(_OUTPUT, ends)  # type: ignore[assignment,misc]
    sys.stderr = sys.__stderr__ = _opened(_ERROR, ends)  # type: ignore[assignment,misc]
    sys.argv = ["asr-run", *arguments]
    from asr_runtime.command.cli import main as asr_run

    asr_run()


def _opened(number: int, ends: list[int | None]) -> io.TextIOWrapper | None:
    """A standard stream as Python opens it."""
    if ends[number] is None:
        return None
    file = open(number, "rb" if number == _INPUT else "wb", closefd=False)  # noqa: SIM115
    lines = number == _ERROR or file.isatty()
    errors = "backslashreplace" if number == _ERROR else "strict"
    return io.TextIOWrapper(file, encoding="utf-8", errors=errors, line_buffering=lines)


if __name__ == "__main__":
    main()
