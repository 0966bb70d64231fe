"""Decoding through libsndfile: FLAC, Ogg Vorbis, Opus, MP3, AIFF and more."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO

import numpy as np

from asr_runtime.audio.byte_view import ByteView
from asr_runtime.audio.layout import Recording
from asr_runtime.audio.samples import Frames
from asr_runtime.errors import AudioFileError

READABLE = "WAV, FLAC, Ogg, Opus or MP3"

BLOCK_SAMPLES = 1 << 17
"""Samples of all channels that are decoded at a time."""

SMALL_BLOCK_SAMPLES = 1 << 12
"""The same of files that may be damaged."""

# libsndfile's count for a file whose header leaves the length open.
_UNKNOWN_FRAMES = np.iinfo(np.int64).max


class DamagedAudioError(AudioFileError):
    """A recording ends before its end; what was decoded is what there is.

    Attributes:
        detail: what is missing.
    """

    def __init__(self, detail: str) -> None:
        super().__init__(f"is cut off or damaged ({detail}); copy or record it again")
        self.detail = detail


class SoundFileDecoder:
    """Decodes one recording.

    Args:
        file: the seekable file that it is in.
        recording: which part of it.
        block_samples: samples of all channels to decode at a time. Those of the block in which
            decoding stops are lost.

    Attributes:
        sample_rate: Hz.
        channels: number of channels.
        format: libsndfile's name of the format.
        frames: samples of each channel as far as the file says it, else None; of an MP3 it may be
            an estimate.

    Raises:
        AudioFileError: libsndfile is missing or cannot decode it.
    """

    def __init__(
        self, file: BinaryIO, recording: Recording, block_samples: int = BLOCK_SAMPLES
    ) -> None:
        self._file = file
        self._block_samples = block_samples
        self._recording = recording
        self._sound = self._open()
        self.sample_rate = int(self._sound.samplerate)
        self.channels = int(self._sound.channels)
        self.format = str(self._sound.format)
        self._counted = 0 < self._sound.frames < _UNKNOWN_FRAMES
        frames = int(self._sound.frames) if self._counted else None
        self.frames = frames if recording.frames is None else recording.frames

    def check_end(self) -> None:
        """Look whether the last samples of a FLAC recording are there, without decoding the others.

        Raises:
            DamagedAudioError: They are not.
        """
        if self._sound.format != "FLAC" or not self._counted:
            return
        if not self._has_frame(self._sound.frames - 1):
            # Cut off, in all likelihood. Say so now, and not when hours have been transcribed.
            self._sound.close()
            self._sound = self._open()
            try:
                for _ in self.blocks():
                    pass
            finally:
                self._sound = self._open()
        # What looked for the last frame is not what reads from the first.
        self._sound.close()
        self._sound = self._open()

    def blocks(self) -> Iterator[tuple[float, Frames]]:
        """Yield the sample rate in Hz and samples [samples, channels], once.

        Raises:
            DamagedAudioError: Decoding stops before the end.
        """
        sound, error_class = self._sound, soundfile_module().LibsndfileError
        decoded = 0
        # Of a file with a thousand channels, a block is as large as of one with one.
        block_frames = max(self._block_samples // sound.channels, 1)
        try:
            while True:
                try:
                    block = sound.read(block_frames, dtype="float32", always_2d=True)
                except error_class:
                    raise self._stops(decoded) from None
                if not len(block):
                    break
                decoded += len(block)
                yield self.sample_rate, block
        finally:
            sound.close()
        expected = self._recording.frames
        if expected is None and sound.format == "FLAC" and self._counted:
            expected = sound.frames  # of others it is an estimate, or what is there
        if expected is not None and decoded < expected - self._recording.slack:
            raise self._stops(decoded)

    def close(self) -> None:
        """Release the decoder."""
        self._sound.close()

    def _open(self) -> Any:
        soundfile = soundfile_module()
        view = ByteView(self._file, self._recording.extents, self._recording.prefix)
        try:
            sound = soundfile.SoundFile(view)
        except soundfile.LibsndfileError as error:
            raise AudioFileError(
                f"is not audio that can be read ({error.error_string.rstrip('.')}); "
                f"give a {READABLE} file"
            ) from None
        # soundfile seeks after every read to update its position, which fails at the end of a FLAC
        # file of unknown length. Reading forward needs no such thing.
        sound.seekable = lambda: False
        return sound

    def _has_frame(self, frame: int) -> bool:
        try:
            self._sound.seek(frame)
            return len(self._sound.read(1, dtype="float32")) == 1
        except soundfile_module().LibsndfileError:
            return False

    def _stops(self, decoded: int) -> DamagedAudioError:
        where = f"decoding stops after {decoded / self.sample_rate:.2f} s"
        if self.frames is not None:
            where += f" of {self.frames / self.sample_rate:.2f} s"
        return DamagedAudioError(where)


def soundfile_module() -> Any:
    """Return the module soundfile.

    Raises:
        AudioFileError: Its library is missing.
    """
    try:
        import soundfile  # type: ignore[import-untyped, unused-ignore]
    except OSError as error:
        # Its wheels bring libsndfile; the pure-Python one for other machines does not.
        raise AudioFileError(
            f"cannot be read because libsndfile is missing ({error}); "
            "install your system's libsndfile"
        ) from None
    return soundfile
