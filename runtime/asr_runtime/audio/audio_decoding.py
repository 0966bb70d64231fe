"""How a file's audio is decoded: what kind it is, whether it is whole, and its samples."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, BinaryIO, TypeAlias, cast

from asr_runtime.audio.byte_view import ByteView, file_size, read_at
from asr_runtime.audio.file_kind import START_BYTES, FileKind, Route, file_kind
from asr_runtime.audio.layout import Layout, Recording, id3_size, whole_file
from asr_runtime.audio.samples import Frames
from asr_runtime.audio.sound_file import (
    BLOCK_SAMPLES,
    READABLE,
    SMALL_BLOCK_SAMPLES,
    DamagedAudioError,
    SoundFileDecoder,
)
from asr_runtime.errors import AudioFileError

if TYPE_CHECKING:
    from asr_runtime.audio.audio_file import AudioFile
    from asr_runtime.audio.sample_format import SampleFormat
    from asr_runtime.audio.wav_layout import WavLayout

_Blocks: TypeAlias = Iterator[tuple[float, Frames]]


class AudioDecoding:
    """The decoding of one file.

    Args:
        file: The file, which is read back and forth.
        source: Where it is from; a decoder may want the path.
        resources: Closes what decoders open.
        raw_format: How the samples lie in a file without a header; None for any other.
        accept_incomplete: Whether to read what is there of a file that is cut off or damaged. It is
            then among the remarks.

    Attributes:
        sample_rate: Hz.
        channel_count: Number of channels, at the beginning.
        duration: Length in seconds as far as the file says it, else None.
        remarks: What people should know about the file.

    Raises:
        AudioFileError: The file is empty, is no audio, or is known to be cut off.
    """

    sample_rate: float
    channel_count: int
    duration: float | None

    def __init__(
        self,
        file: BinaryIO,
        source: AudioFile,
        resources: ExitStack,
        *,
        raw_format: SampleFormat | None,
        accept_incomplete: bool,
    ) -> None:
        self._file = file
        self._resources = resources
        self._accept_incomplete = accept_incomplete
        self.remarks: list[str] = []
        # Makes what decodes the file from its beginning; the first one is made ahead.
        self._open: Callable[[], _Blocks]
        if raw_format is None:
            self._start(source)
        else:
            self._start_raw(raw_format)

    def blocks(self) -> _Blocks:
        """Yield sample rates in Hz and samples [frames, channels], from the first to the last.

        Raises:
            AudioFileError: Decoding stops before the end.
        """
        try:
            yield from self._open()
        except AudioFileError as error:
            self._damaged(getattr(error, "detail", error.problem), error)

    def _damaged(self, detail: str, error: AudioFileError | None = None) -> None:
        if not self._accept_incomplete:
            raise error or DamagedAudioError(detail)
        remark = f"it is incomplete ({detail})"
        if remark not in self.remarks:
            self.remarks.append(remark)

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
        self.remarks += layout.remarks
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
        self.remarks += layout.remarks
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
            self.remarks.append(f"{ready[0].format} does not tell whether a file is whole")
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


def _has_media_decoder() -> bool:
    from asr_runtime.audio.media import has_media_decoder

    return has_media_decoder()
