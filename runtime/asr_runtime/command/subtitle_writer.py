"""Writing subtitles and tables while a recording is transcribed, in memory that stays flat."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TextIO

from asr_runtime.command.options import TranscriptFormat
from asr_runtime.subtitles import (
    TSV_HEADER,
    VTT_HEADER,
    Cue,
    CueBuilder,
    srt_cue,
    tsv_row,
    vtt_cue,
)
from asr_runtime.transcript import Transcript

HEADERS = {
    TranscriptFormat.srt: "",
    TranscriptFormat.vtt: VTT_HEADER,
    TranscriptFormat.tsv: TSV_HEADER,
}
"""What a file of each kind begins with."""


class SubtitleWriter:
    """Writes each cue as soon as no later word can change it.

    Attributes:
        end_seconds: Where the last cue that was written ends in the recording.
    """

    def __init__(
        self,
        stream: TextIO,
        form: TranscriptFormat,
        *,
        word_times: bool = False,
        before: Callable[[], None] = lambda: None,
    ) -> None:
        """Begin a file.

        Args:
            stream: Where to write.
            form: One of HEADERS.
            word_times: Whether words in WebVTT have their times.
            before: Called before every write.
        """
        self._stream = stream
        self._form = form
        self._word_times = word_times
        self._before = before
        self._builder = CueBuilder()
        self._number = 0
        self.end_seconds = 0.0

    @property
    def is_empty(self) -> bool:
        """Whether no cue was written yet."""
        return not self._number

    def add(self, segment: Transcript) -> None:
        """Write the cues that a segment completes."""
        self._write(self._builder.feed(segment.shown_words))

    def end(self) -> None:
        """Write what is left."""
        self._write(self._builder.finish())
        if self.is_empty:
            self._put(HEADERS[self._form])

    def break_off(self) -> None:
        """Write the cues of the words so far, after which others are missing."""
        self._write(self._builder.finish())

    def _write(self, cues: Iterable[Cue]) -> None:
        for cue in cues:
            header = HEADERS[self._form] if self.is_empty else ""
            self._number += 1
            self.end_seconds = cue.end
            self._put(header + self._text(cue))

    def _text(self, cue: Cue) -> str:
        if self._form is TranscriptFormat.srt:
            return srt_cue(cue, self._number)
        if self._form is TranscriptFormat.tsv:
            return tsv_row(cue)
        return vtt_cue(cue, word_times=self._word_times)

    def _put(self, text: str) -> None:
        self._before()
        self._stream.write(text)
        self._stream.flush()
