"""sounddevice as its version 0.5.6 behaves, with devices that a test makes up."""

import types

import numpy as np


class PortAudioError(Exception):
    pass


class InputStream:
    """Records what a test says, from `start` on."""

    def __init__(
        self, module, samplerate, blocksize, device, channels, dtype, callback, finished_callback
    ):
        if module.busy:
            raise PortAudioError(
                "Error opening InputStream: Device unavailable [PaErrorCode -9985]"
            )
        assert (channels, dtype) == (1, "float32")
        self.rate, self.blocksize, self.device = samplerate, blocksize, device
        self._callback, self._finished_callback = callback, finished_callback
        self.state = "opened"
        self._module = module

    def start(self):
        self.state = "started"
        self._module.on_start(self)

    def give(self, samples, *, overflow=False):
        """Record samples [samples] in blocks; the buffer of each is used again."""
        status = types.SimpleNamespace(input_overflow=overflow)
        for start in range(0, len(samples), self.blocksize):
            block = np.array(samples[start : start + self.blocksize], np.float32).reshape(-1, 1)
            self._callback(block, len(block), None, status)
            block[:] = np.nan

    def unplug(self):
        self._finished_callback()

    def stop(self):
        self.state = "stopped"
        self._finished_callback()

    def close(self):
        assert self.state == "stopped"
        self.state = "closed"


class FakeSounddevice(types.ModuleType):
    """devices: name, input channels, sample rate of each. default: a number, -1 for none.

    on_start: is called with each stream that starts.
    """

    PortAudioError = PortAudioError
    __version__ = "0.5.6"

    def __init__(self, devices=(("Built-in", 2, 48000.0), ("Speaker", 0, 48000.0)), default=0):
        super().__init__("sounddevice")
        self.devices = devices
        self.default = default
        self.busy = False
        self.streams = []
        self.on_start = self.streams.append

    def InputStream(self, **settings):  # noqa: N802 - its name there
        return InputStream(self, **settings)

    def get_portaudio_version(self):
        return 1246720, "PortAudio V19.7.0-devel"

    def query_devices(self, device=None, kind=None):
        if device is None and kind is None:
            return [self._describe(number) for number in range(len(self.devices))]
        assert kind == "input"
        if device is None:
            device = self.default
        if isinstance(device, str):
            found = [
                number
                for number, (name, channels, _) in enumerate(self.devices)
                if device.lower() in name.lower() and channels
            ]
            if not found:
                raise ValueError(f"No input device matching {device!r}")
            if len(found) > 1:
                raise ValueError(f"Multiple input devices found for {device!r}:\n[0] one\n[1] two")
            device = found[0]
        if not 0 <= device < len(self.devices):
            raise PortAudioError(f"Error querying device {device}")
        described = self._describe(device)
        if not described["max_input_channels"]:
            raise ValueError(f"Not an input device: {described['name']!r}")
        return described

    def check_input_settings(self, device, channels, dtype, samplerate):
        if self.busy:
            raise PortAudioError("Device unavailable [PaErrorCode -9985]")

    def _describe(self, number):
        name, channels, rate = self.devices[number]
        return {
            "index": number,
            "name": name,
            "max_input_channels": channels,
            "default_samplerate": rate,
        }
