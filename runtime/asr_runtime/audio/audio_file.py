"""An audio file, bytes or a stream as a file that checks and decoders can go back and forth in."""

from __future__ import annotations

import io
import os
import tempfile
from contextlib import ExitStack
from typing import BinaryIO, TypeAlias, cast

from asr_runtime.errors import AudioFileError

AudioFile: TypeAlias = str | os.PathLike[str] | bytes | bytearray | memoryview | BinaryIO
"""A path, the bytes of a file, or an open binary file or stream."""

_MOST_IN_MEMORY = 4 << 20  # bytes of a stream that cannot be rewound; more goes to a file


def rewindable(source: AudioFile, resources: ExitStack) -> BinaryIO:
    """Return a seekable file that begins where the audio does.

    Args:
        source: A path, bytes, or an open binary file or stream. What cannot be rewound is read to
            its end, and copied to a temporary file if it is large.
        resources: Closes what was opened.

    Raises:
        AudioFileError: It cannot be opened or copied, or was read already.
        TypeError: It is none of these.
    """
    if isinstance(source, (str, os.PathLike)):
        file = resources.enter_context(open_audio(source))
        return file if file.seekable() else _spooled(file, resources)
    if isinstance(source, (bytes, bytearray, memoryview)):
        return io.BytesIO(source)
    _check_stream(source)
    if _seekable(source):
        # What is made of another class may read less than it is asked for.
        kinds = (io.BufferedReader, io.BufferedRandom)
        plain = type(source) is io.BytesIO or isinstance(source, kinds)
        at = source.tell()
        if plain and at == 0:
            return source
        if at and not source.read(1):
            raise AudioFileError("is read to its end already; seek(0) before you give it")
        source.seek(at)
    return _spooled(source, resources)


def open_audio(path: str | os.PathLike[str]) -> BinaryIO:
    """Open a file or a named pipe to be read from its start.

    Raises:
        AudioFileError: It cannot be opened.
    """
    if os.path.isdir(path):
        raise AudioFileError("is a directory; give an audio file")
    try:
        return open(path, "rb")
    except FileNotFoundError:
        raise AudioFileError("there is no such file; check the path") from None
    except PermissionError:
        raise AudioFileError("may not be read; change its permissions") from None
    except (OSError, ValueError) as error:  # ValueError: a NUL character in the path
        reason = getattr(error, "strerror", None) or error
        raise AudioFileError(f"cannot be opened ({reason}); check the path") from None


def _spooled(stream: BinaryIO, resources: ExitStack) -> BinaryIO:
    """Return all bytes of a stream: both checks and decoders go back and forth."""
    content = io.BytesIO()
    while content.tell() <= _MOST_IN_MEMORY:
        part = stream.read(_MOST_IN_MEMORY)
        if not part:
            content.seek(0)
            return content
        content.write(part)
    try:
        file = resources.enter_context(tempfile.TemporaryFile())  # noqa: SIM115
        file.write(content.getbuffer())
    except OSError as error:
        raise _no_room(error) from None
    while part := stream.read(_MOST_IN_MEMORY):
        try:
            file.write(part)
            file.flush()
        except OSError as error:
            raise _no_room(error) from None
    file.seek(0)
    return cast(BinaryIO, file)


def _check_stream(source: object) -> None:
    if isinstance(source, io.TextIOBase):
        raise TypeError("audio is a file that is open as text; open it with mode 'rb'")
    if not callable(getattr(source, "read", None)):
        raise TypeError(
            f"audio is of type {type(source).__name__}; give a path, bytes, a file that is open in "
            "binary mode, or samples with their sample rate"
        )


def _seekable(source: BinaryIO) -> bool:
    seekable = getattr(source, "seekable", None)
    return seekable is not None and bool(seekable())


def _no_room(error: OSError) -> AudioFileError:
    return AudioFileError(
        f"cannot be copied to a temporary file ({error.strerror or error}); "
        "make room there, or let TMPDIR name a folder that has some"
    )
