"""Live audio from a microphone, through sounddevice (the extra ``mic``) and its PortAudio."""

from __future__ import annotations

import queue
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from asr_runtime.errors import MicrophoneError
from asr_runtime.live.live_source import LiveSource

BLOCK_SECONDS = 0.02
"""Audio in one call of PortAudio's."""

QUEUE_SECONDS = 30.0
"""Audio that may wait while the model is busy; what comes then is lost."""

SILENT_SECONDS = 5.0
"""A microphone that gives no samples at all for so long is gone: silence is samples too."""

_MOST_BLOCKS = round(QUEUE_SECONDS / BLOCK_SECONDS)

_Block = npt.NDArray[np.float32] | None  # None: the recording ended


@dataclass(frozen=True)
class InputDevice:
    """A microphone.

    Attributes:
        number: PortAudio's number.
        name: PortAudio's name.
        sample_rate: The device's own rate, in Hz.
    """

    number: int
    name: str
    sample_rate: float


def load_sounddevice() -> Any:
    """Import the sounddevice module.

    Returns:
        The module.

    Raises:
        MicrophoneError: It or PortAudio is missing or does not start.
    """
    try:
        import sounddevice  # type: ignore[import-not-found, import-untyped, unused-ignore]
    except ImportError as error:
        raise MicrophoneError(
            f"sounddevice is not installed ({error}); pip install 'asr-runtime[mic]'"
        ) from None
    except OSError as error:
        raise MicrophoneError(
            f"PortAudio is missing ({error}); install your system's, "
            "on Debian: sudo apt install libportaudio2"
        ) from None
    except Exception as error:
        # A class of the module that could not be imported.
        if type(error).__name__ != "PortAudioError":
            raise
        raise MicrophoneError(
            f"PortAudio does not start ({error}); check the system's sound"
        ) from None
    return sounddevice


def input_devices(sounddevice: Any) -> dict[int, str]:
    """Return numbers and names of all devices that record."""
    return {
        number: device["name"]
        for number, device in enumerate(sounddevice.query_devices())
        if device["max_input_channels"] > 0
    }


def find_input_device(sounddevice: Any, wanted: str | None = None) -> InputDevice:
    """Find the device to record with.

    Args:
        sounddevice: The module.
        wanted: Its number, or a part of its name that no other device has; None for the system's
            default.

    Returns:
        The device.

    Raises:
        MicrophoneError: There is no such device.
    """
    names = input_devices(sounddevice)
    if not names:
        raise MicrophoneError("there is no input device; connect a microphone")
    choice = None if wanted is None else int(wanted) if wanted.isdecimal() else wanted
    try:
        found = sounddevice.query_devices(choice, "input")
    except (ValueError, sounddevice.PortAudioError):
        known = ", ".join(f"{number} {name}" for number, name in names.items())
        problem = (
            "there is no default input device"
            if wanted is None
            else f"no input device, or more than one, is {wanted!r}"
        )
        raise MicrophoneError(f"{problem}; choose one of these: {known}") from None
    return InputDevice(found["index"], found["name"], float(found["default_samplerate"]))


def check_input_device(sounddevice: Any, device: InputDevice) -> None:
    """Check that a device can be recorded with as it is.

    Args:
        sounddevice: The module.
        device: The device.

    Raises:
        MicrophoneError: It cannot be.
    """
    try:
        sounddevice.check_input_settings(samplerate=device.sample_rate, **_settings(device))
    except (ValueError, sounddevice.PortAudioError) as error:
        raise _cannot_open(device, error) from None


class MicrophoneSource(LiveSource):
    """A microphone that records from now on."""

    def __init__(self, wanted: str | None = None) -> None:
        """Begin to record.

        Args:
            wanted: Number or part of the name of the device; None for the system's default.

        Raises:
            MicrophoneError: The microphone cannot be used.
        """
        sounddevice = load_sounddevice()
        device = find_input_device(sounddevice, wanted)
        self.sample_rate = device.sample_rate
        self.description = f"{device.name}, {device.sample_rate:g} Hz"
        self._blocks_taken = 0
        self._lost_frames = 0
        self._overflows = 0
        self._closed = False
        # Unlike Queue, written in C: Ctrl-C cannot leave it locked. `_take` bounds it.
        self._queue: queue.SimpleQueue[_Block] = queue.SimpleQueue()
        try:
            self._stream = sounddevice.InputStream(
                samplerate=device.sample_rate,
                blocksize=max(round(device.sample_rate * BLOCK_SECONDS), 1),
                **_settings(device),
                callback=self._take,
                finished_callback=self._end,
            )
            self._stream.start()
        except (ValueError, sounddevice.PortAudioError) as error:
            raise _cannot_open(device, error) from None

    def blocks(self) -> Iterator[npt.NDArray[np.float32]]:
        """Yield what was recorded, float32 [samples], some 20 ms at a time.

        Raises:
            MicrophoneError: The microphone stopped.
        """
        while not self._closed:
            try:
                block = self._queue.get(timeout=SILENT_SECONDS)
            except queue.Empty:
                raise MicrophoneError(
                    f"gave no samples for {SILENT_SECONDS:g} s; is it still connected?"
                ) from None
            if block is None:
                raise MicrophoneError("stopped; is it still connected?")
            yield block
        while not self._queue.empty():
            block = self._queue.get()
            if block is not None:
                yield block

    def close(self) -> None:
        """Stop recording."""
        if not self._closed:
            self._closed = True
            self._stream.stop()
            self._stream.close()

    def warnings(self) -> list[str]:
        """Return how much audio was lost, if any was."""
        lost = []
        if self._lost_frames:
            lost.append(
                f"{self._lost_frames / self.sample_rate:.1f} s of audio were lost, because the "
                "model is slower than speech here; use the greedy decoder or larger chunks"
            )
        if self._overflows:
            lost.append(f"the system lost audio {self._overflows} times; it does not say how much")
        return lost

    def _take(self, samples: npt.NDArray[np.float32], frames: int, time: Any, status: Any) -> None:
        """Keep samples [frames, 1]; PortAudio calls it in a thread of its own and owns them."""
        # Before the first block there was nothing to lose, though some systems say so.
        if status.input_overflow and self._blocks_taken:
            self._overflows += 1
        self._blocks_taken += 1
        if self._queue.qsize() < _MOST_BLOCKS:
            self._queue.put(samples[:, 0].copy())
        else:
            self._lost_frames += frames

    def _end(self) -> None:
        self._queue.put(None)


def _settings(device: InputDevice) -> dict[str, Any]:
    # Of a device with more channels, PortAudio gives the first.
    return {"device": device.number, "channels": 1, "dtype": "float32"}


def _cannot_open(device: InputDevice, error: Exception) -> MicrophoneError:
    return MicrophoneError(
        f"{device.name} cannot be opened ({error}); close other programs that use it, or choose "
        "another input device"
    )
