"""Standard output and error that may be closed, full, broken or anything else.

A program is started with all kinds of streams: a service without any, a pipe whose reader leaves, a
disk that is full. Python then gives None for a stream, or fails wherever something is written, and
once more when it ends; and the next file that is opened gets the number of a stream that is closed,
so that a library's warning is written into it. This module has one rule for all of them, and all
our commands use it.
"""

from __future__ import annotations

import errno
import io
import os
import select
import sys
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO

_INPUT, _OUTPUT, _ERROR = 0, 1, 2


class StandardOutputError(Exception):
    """Standard output takes no more. It ends the program, and is no error of a single file."""


@contextmanager
def guarded_streams(program: str, *, output_matters: bool = True) -> Iterator[None]:
    r"""Run a command whose standard streams may fail in any way.

    What belongs to standard output never goes to another place, nor anything else there. If it
    cannot be written, the command ends, with one line on standard error unless a reader of a pipe
    has left, which is no fault. Messages that standard error does not take are lost, and the
    command goes on. What a stream's encoding cannot write is written as ``\xff`` and the like.

    Args:
        program: Name at the beginning of that line.
        output_matters: Whether what is printed is what the program is for; a server goes on
            without.

    Raises:
        SystemExit: With status 1, if standard output failed and nothing else did.
    """
    before = sys.stdout, sys.stderr
    _occupy_closed()
    output = error = None
    # A stream that someone has replaced, such as a test, is theirs to look after.
    if sys.stdout is sys.__stdout__:
        output = _Guarded(_OUTPUT, sys.stdout, raises=output_matters)
        sys.stdout = output.text(sys.stdout)
    if sys.stderr is sys.__stderr__:
        error = _Guarded(_ERROR, sys.stderr, raises=False)
        sys.stderr = error.text(sys.stderr)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    status: Any = 0
    try:
        try:
            yield
        except SystemExit as ended:
            status = ended.code
        except BaseException:
            with suppress(StandardOutputError):
                sys.stdout.flush()
            raise
        sys.stdout.flush()
    except StandardOutputError:
        pass
    finally:
        guarded_error = sys.stderr
        with suppress(AttributeError, OSError, ValueError):  # someone else's may be anything
            guarded_error.flush()
        sys.stdout, sys.stderr = before
    if output is not None and output.error is not None and output_matters:
        if not isinstance(output.error, BrokenPipeError):
            print(f"{program}: {_problem(output.error)}", file=guarded_error, flush=True)
        status = status or 1
    raise SystemExit(status)


def one_line(message: str) -> str:
    """Return a message without what breaks a line, whatever a file name in it contains."""
    return shown_name(" ".join(message.splitlines()))


def shown_name(file: str | os.PathLike[str]) -> str:
    r"""Return a file's name as it stands in a line: line feeds and the like as ``\n``."""
    return "".join(
        char.encode("unicode_escape").decode("ascii")
        if unicodedata.category(char) in ("Cc", "Zl", "Zp")
        else char
        for char in os.fspath(file)
    )


def name_as_text(file: str | os.PathLike[str]) -> str:
    """Return a file's name for JSON, which cannot hold bytes that are not text."""
    return os.fsencode(file).decode("utf-8", "backslashreplace")


class _Guarded(io.RawIOBase):
    """Bytes for a standard stream; from its first failure on they are lost.

    Args:
        number: The stream's file descriptor.
        stream: Python's text stream, None if it was closed when the program began.
        raises: Whether the first failure is an error.

    Attributes:
        name: The stream's.
        error: The first failure.
    """

    def __init__(self, number: int, stream: TextIO | None, *, raises: bool) -> None:
        self._number = number
        self._raw: Any = None
        if stream is not None:
            buffer = stream.buffer
            self._raw = getattr(buffer, "raw", buffer)  # without a buffer by python -u
        self._raises = raises
        self.name = "<stdout>" if number == _OUTPUT else "<stderr>"
        self.error: OSError | None = None

    def text(self, like: TextIO | None) -> io.TextIOWrapper:
        """Return a text stream that writes here, and is otherwise like another."""
        settings: Any = {"encoding": "utf-8"}
        if isinstance(like, io.TextIOWrapper):
            settings = {
                "encoding": like.encoding,
                "line_buffering": like.line_buffering,
                "write_through": like.write_through,
            }
        return io.TextIOWrapper(io.BufferedWriter(self), **settings)

    def write(self, data: Any) -> int:
        """Write bytes, or nothing once it has failed.

        Raises:
            StandardOutputError: It has failed, if that is to be an error.
        """
        if self.error is None:
            try:
                return self._write(data)
            except OSError as error:
                self.error = error
                if self._raises:
                    raise StandardOutputError(_problem(error)) from None
        return len(data)

    def _write(self, data: Any) -> int:
        if self._raw is None:
            raise OSError(errno.EBADF, "it is closed")
        while (written := self._raw.write(data)) is None:
            # Another program that has the same pipe made it refuse rather than wait.
            select.select([], [self._number], [])
        return int(written)

    def fileno(self) -> int:
        """Return the stream's number, which is occupied in any case."""
        return self._number

    def isatty(self) -> bool:
        """Return whether it is a terminal."""
        return self._raw is not None and self._raw.isatty()

    def writable(self) -> bool:
        """Return True."""
        return True


def _problem(error: OSError) -> str:
    return (
        f"standard output cannot be written ({error.strerror or error}), so what belongs there is "
        "not complete; connect it to a file, a pipe or a terminal that takes it"
    )


def _occupy_closed() -> None:
    """Give closed standard streams to the null device, so that no other file gets their number."""
    for number in (_INPUT, _OUTPUT, _ERROR):
        try:
            os.fstat(number)
        except OSError:
            null = os.open(os.devnull, os.O_RDWR)
            if null == number:
                os.set_inheritable(null, True)
            else:
                os.dup2(null, number)
                os.close(null)
