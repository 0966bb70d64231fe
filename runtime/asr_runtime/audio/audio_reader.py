"""An audio file read in blocks, so that memory does not grow with its length."""

from __future__ import annotations

import io
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Any, BinaryIO, TypeAlias, cast

import numpy as np

from asr_runtime.audio.byte_view import ByteView, file_size, read_at
from asr_runtime.audio.channels import MIX, Channels, checked_channels
from asr_runtime.audio.file_kind import START_BYTES, FileKind, Route, file_kind
from asr_runtime.audio.layout import Layout, Recording, id3_size, whole_file
from asr_runtime.audio.samples import Frames, Mono
from asr_runtime.audio.sound_file import (
    BLOCK_SAMPLES,
    READABLE,
    SMALL_BLOCK_SAMPLES,
    DamagedAudioError,
    SoundFileDecoder,
)
from asr_runtime.audio.waveform import Mixdown
from asr_runtime.errors import AudioFileError

AudioFile: TypeAlias = str | os.PathLike[str] | bytes | bytearray | memoryview | BinaryIO
"""A path, the bytes of a file, or an open binary file or stream."""

_MOST_IN_MEMORY = 4 << 20  # bytes of a stream that cannot be rewound; more goes to a file

if TYPE_CHECKING:
    from asr_runtime.audio.sample_format import SampleFormat
    from asr_runtime.audio.wav_layout import WavLayout

_Blocks: TypeAlias = Iterator[tuple[float, Frames]]


class AudioReader:
    """An open audio file.

    Args:
        source: a path, the bytes of a file, or a binary stream such as standard input, which is
            read to its end. What cannot be rewound is copied to a temporary file if it is large.
        channels: MIX, or the number of the channel to read, from 1 on.
        raw_format: how the samples lie in a file without a header; None for any other.
        accept_incomplete: whether to read what is there of a file that is cut off or damaged. It is
            then among the warnings.

    Attributes:
        sample_rate: Hz.
        channel_count: number of channels, at the beginning.
        duration: length in seconds as far as the file says it, else None. It tells how far reading
            has come; of an MP3 it may be an estimate.
        warnings: what people should know about the audio; complete once all blocks were read.

    Raises:
        AudioFileError: The source cannot be opened, is empty, is no audio, or is known to be cut
            off; the path is its subject. `blocks` raises it for what shows during decoding.
        AudioContentError: The channel asked for is not there.
    """

    sample_rate: float
    channel_count: int
    duration: float | None

    def __init__(
        self,
        source: AudioFile,
        *,
        channels: Channels = MIX,
        raw_format: SampleFormat | None = None,
        accept_incomplete: bool = False,
    ) -> None:
        checked_channels(channels)
        self._channels = channels
        self._accept_incomplete = accept_incomplete
        self._subject = os.fspath(source) if isinstance(source, (str, os.PathLike)) else None
        self._resources = ExitStack()
        self._remarks: list[str] = []
        self._mixdown: Mixdown | None = None
        # Makes what decodes the file from its beginning; the first one is made ahead.
        self._open: Callable[[], _Blocks]
        with self._naming_errors():
            try:
                self._file = self._opened(source)
                if raw_format is None:
                    self._start(source)
                else:
                    self._start_raw(raw_format)
            except BaseException:
                self.close()
                raise

    @property
    def warnings(self) -> list[str]:
        """What people should know about the audio; complete once all blocks were read."""
        return [*self._remarks, *(self._mixdown.warnings if self._mixdown is not None else [])]

    def blocks(self, channels: Channels | None = None) -> Iterator[Mono]:
        """Yield the samples from the first to the last: float32 [samples], -1..1.

        Args:
            channels: what to read instead of what was asked for first. Every call begins anew.

        Raises:
            AudioFileError: Decoding stops before the end.
            AudioContentError: The channel asked for is not there.
        """
        channels = self._channels if channels is None else channels
        with self._naming_errors():
            mixdown = self._mixdown = Mixdown(self.sample_rate, channels)
            yield from mixdown.blocks(self._complete(self._open()))

    def close(self) -> None:
        """Close the file, and delete the copy if one was made."""
        self._resources.close()

    def __enter__(self) -> AudioReader:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _complete(self, blocks: _Blocks) -> _Blocks:
        """Pass blocks on, and have an early end raise an error or be a remark."""
        try:
            yield from blocks
        except AudioFileError as error:
            self._damaged(getattr(error, "detail", error.problem), error)

    def _damaged(self, detail: str, error: AudioFileError | None = None) -> None:
        if not self._accept_incomplete:
            raise error or DamagedAudioError(detail)
        remark = f"it is incomplete ({detail})"
        if remark not in self._remarks:
            self._remarks.append(remark)

    def _start(self, source: AudioFile) -> None:
        file = self._file
        start = read_at(file, 0, START_BYTES)
        if not start:
            raise AudioFileError(f"is empty; give a {READABLE} file")
        tag = id3_size(start)
        kind = file_kind(start)
        if tag + 4 > len(start):  # a picture in the tag
            inner = file_kind(read_at(file, tag, START_BYTES))
            if inner.route is not Route.UNKNOWN:
                kind = FileKind(inner.name, inner.route, tag + inner.begin)
        if kind.route is Route.WAV:
            self._start_wav(kind.begin)
        elif kind.route is Route.MEDIA:
            self._start_media(source, kind)
        else:
            self._start_recordings(self._layout(kind), kind, source)

    def _layout(self, kind: FileKind) -> Layout | None:
        if kind.route is Route.FLAC:
            from asr_runtime.audio.flac_layout import read_flac_layout

            return read_flac_layout(self._file, kind.begin)
        if kind.route is Route.OGG:
            from asr_runtime.audio.ogg_layout import read_ogg_layout

            return read_ogg_layout(self._file, kind.begin)
        if kind.route is Route.CHUNKS:
            from asr_runtime.audio.chunk_layout import read_chunked_layout

            return read_chunked_layout(self._file, kind.begin)
        # An MP3, or something before it that players leave out.
        from asr_runtime.audio.mpeg_layout import read_mpeg_layout

        return read_mpeg_layout(self._file)

    def _start_wav(self, begin: int) -> None:
        from asr_runtime.audio.wav_layout import read_wav_layout
        from asr_runtime.audio.wav_stream import ByteStream, WavReader

        layout = read_wav_layout(self._file, begin)
        if layout.problem is not None:
            self._damaged(layout.problem)
        self._remarks += layout.remarks
        first = layout.segments[0].header.format
        if first is None:
            self._start_coded(layout)
            return
        self.sample_rate, self.channel_count = first.sample_rate, first.channels
        self.duration = layout.duration
        view = ((begin, file_size(self._file)),)

        def read() -> _Blocks:
            size = max(BLOCK_SAMPLES // first.channels, 1) * first.frame_bytes
            return WavReader(ByteStream(ByteView(self._file, view), size)).blocks()

        self._open = read

    def _start_coded(self, layout: WavLayout) -> None:
        """Begin with a WAV whose samples are coded; libsndfile needs its size filled in."""
        from asr_runtime.audio.wav_stream import contains_wav

        recordings = []
        for segment in layout.segments:
            if contains_wav(self._file, segment.start, segment.stop):
                self._damaged("another WAV begins before the end that a header promises")
            header = read_at(self._file, segment.begin, segment.header.size)
            size = min(segment.stop - segment.start, 0xFFFFFFFF)
            order = "big" if segment.header.big_endian else "little"
            header = header[:-4] + size.to_bytes(4, cast(Any, order))
            recordings.append(Recording(((segment.start, segment.stop),), header))
        self._start_recordings(Layout(tuple(recordings)), FileKind("WAV", Route.WAV), self._file)

    def _start_recordings(
        self, layout: Layout | None, kind: FileKind, source: AudioFile | None
    ) -> None:
        file = self._file
        layout = layout or whole_file(file_size(file))
        if kind.route is Route.OGG and not layout.recordings and layout.problem is None:
            self._start_media(source, kind)
            return
        if layout.problem is not None:
            self._damaged(layout.problem)
        recordings = layout.recordings or whole_file(file_size(file)).recordings
        self._remarks += layout.remarks
        ready: list[SoundFileDecoder] = []
        seconds: list[float | None] = []
        block = SMALL_BLOCK_SAMPLES if self._accept_incomplete else BLOCK_SAMPLES
        for recording in recordings:
            try:
                decoder = SoundFileDecoder(file, recording, block)
            except AudioFileError:
                # There are codings of WAV, AIFF and CAF that libsndfile does not know.
                if kind.route not in (Route.WAV, Route.CHUNKS) or not _has_media_decoder():
                    raise
                if len(recordings) > 1:
                    self._damaged("several files were joined, of which only the first can be read")
                self._start_media(source, kind)
                return
            try:
                decoder.check_end()
            except DamagedAudioError as error:
                self._damaged(error.detail, error)
            known = decoder.frames
            seconds.append(None if known is None else known / decoder.sample_rate)
            if ready:
                decoder.close()
            else:
                ready.append(decoder)
                self._resources.callback(decoder.close)
        if kind.route is Route.UNKNOWN and ready[0].format != "MP3":
            self._remarks.append(f"{ready[0].format} does not tell whether a file is whole")
        self.sample_rate, self.channel_count = ready[0].sample_rate, ready[0].channels
        self.duration = None if None in seconds else sum(filter(None, seconds))

        def read() -> _Blocks:
            first = ready.pop() if ready else SoundFileDecoder(file, recordings[0], block)
            yield from first.blocks()
            for recording in recordings[1:]:
                yield from SoundFileDecoder(file, recording, block).blocks()

        self._open = read

    def _start_media(self, source: AudioFile | None, kind: FileKind) -> None:
        from asr_runtime.audio.joined_media import holds_several
        from asr_runtime.audio.media import open_media

        if holds_several(self._file, kind.name):
            self._damaged("several files were joined, of which only the first can be read")
        is_path = isinstance(source, (str, os.PathLike))
        place = source if is_path and os.path.isfile(cast(Any, source)) else self._file
        if isinstance(place, io.BytesIO) and hasattr(os, "memfd_create"):
            # ffmpeg can seek in it, as it has to where an MP4's index comes last.
            memory = open(os.memfd_create("audio"), "w+b")  # noqa: SIM115
            place = cast(BinaryIO, self._resources.enter_context(memory))
            place.write(cast(io.BytesIO, self._file).getbuffer())
            place.flush()
            self._file = place
        self._file.seek(0)
        ahead = [open_media(cast(Any, place), kind.name)]
        self._resources.callback(lambda: ahead[0].close() if ahead else None)
        self.sample_rate, self.channel_count = ahead[0].sample_rate, ahead[0].channels
        self.duration = None

        def read() -> _Blocks:
            if not ahead:
                self._file.seek(0)
                ahead.append(open_media(cast(Any, place), kind.name))
            decoder = ahead[0]
            try:
                yield from decoder.blocks()
            finally:
                decoder.close()
                ahead.clear()

        self._open = read

    def _start_raw(self, raw_format: SampleFormat) -> None:
        from asr_runtime.audio.raw_stream import RawReader, check_raw
        from asr_runtime.audio.wav_stream import ByteStream

        size = file_size(self._file)
        check_raw(read_at(self._file, 0, START_BYTES))
        self.sample_rate, self.channel_count = raw_format.sample_rate, raw_format.channels
        self.duration = size // raw_format.frame_bytes / raw_format.sample_rate
        block = max(BLOCK_SAMPLES // raw_format.channels, 1) * raw_format.frame_bytes

        def read() -> _Blocks:
            view = ByteView(self._file, ((0, size),))
            return RawReader(ByteStream(view, block), raw_format).blocks()

        self._open = read

    def _opened(self, source: AudioFile) -> BinaryIO:
        """Return a seekable file that begins where the audio does."""
        if isinstance(source, (str, os.PathLike)):
            file = self._resources.enter_context(open_audio(source))
            return file if file.seekable() else self._spooled(file)
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
        return self._spooled(source)

    def _spooled(self, stream: BinaryIO) -> BinaryIO:
        """Return all bytes of a stream: both checks and decoders go back and forth."""
        content = io.BytesIO()
        while content.tell() <= _MOST_IN_MEMORY:
            part = stream.read(_MOST_IN_MEMORY)
            if not part:
                content.seek(0)
                return content
            content.write(part)
        try:
            file = self._resources.enter_context(tempfile.TemporaryFile())  # noqa: SIM115
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

    @contextmanager
    def _naming_errors(self) -> Iterator[None]:
        try:
            yield
        except AudioFileError as error:
            error.subject = self._subject
            raise
        except OSError as error:
            problem = f"cannot be read ({error.strerror or error}); check the device"
            raise AudioFileError(problem, self._subject) from None


def read_audio(source: AudioFile, channels: Channels = MIX) -> tuple[Mono, float]:
    """Read a whole file.

    Args:
        source: see `AudioReader`.
        channels: MIX, or the number of the channel to read, from 1 on.

    Returns:
        Mono samples [samples], -1..1, and their sample rate in Hz. Channels are mixed block by
        block, so memory holds one channel.

    Raises:
        AudioFileError: See `AudioReader`.
        AudioContentError: The channel asked for is not there.
    """
    with AudioReader(source, channels=channels) as reader:
        blocks = list(reader.blocks())
        return np.concatenate(blocks) if blocks else np.zeros(0, np.float32), reader.sample_rate


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


def _has_media_decoder() -> bool:
    from asr_runtime.audio.media import has_media_decoder

    return has_media_decoder()


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
