"""A microphone, imitated at sounddevice's interface: recording, and every way it can fail."""

import sys
import threading

import numpy as np
import pytest

from asr_runtime import MicrophoneError
from asr_runtime.command.diagnosis import diagnose
from asr_runtime.live import microphone
from asr_runtime.live.microphone import MicrophoneSource

TWO = (("Built-in", 2, 48000.0), ("USB Mic", 1, 44100.0), ("USB Headset", 1, 16000.0))


def ramp(count, start=0):
    return np.arange(start, start + count, dtype=np.float32) / 1e6


class TestRecording:
    def test_device_default_rate(self, sounddevice):
        source = MicrophoneSource()
        (stream,) = sounddevice.streams
        assert source.sample_rate == stream.rate == 48000
        assert (stream.device, stream.blocksize, stream.state) == (0, 960, "started")
        assert source.description == "Built-in, 48000 Hz"
        source.close()
        assert stream.state == "closed"

    def test_blocks_as_they_come(self, sounddevice):
        source = MicrophoneSource()
        (stream,) = sounddevice.streams
        blocks = source.blocks()
        stream.give(ramp(960))
        np.testing.assert_array_equal(next(blocks), ramp(960))
        threading.Timer(0.1, lambda: stream.give(ramp(960, 960))).start()
        np.testing.assert_array_equal(next(blocks), ramp(960, 960))
        source.close()
        assert list(blocks) == []

    def test_what_was_recorded_before_closing_is_kept(self, sounddevice):
        source = MicrophoneSource()
        (stream,) = sounddevice.streams
        stream.give(ramp(9600))
        next(source.blocks())
        source.close()
        np.testing.assert_array_equal(np.concatenate(list(source.blocks())), ramp(9600)[960:])
        source.close()
        assert list(source.blocks()) == []
        assert source.warnings() == []

    @pytest.mark.parametrize(("wanted", "number"), [("usb mic", 1), ("2", 2), ("headset", 2)])
    def test_choice(self, sounddevice, wanted, number):
        sounddevice.devices = TWO
        source = MicrophoneSource(wanted)
        assert sounddevice.streams[0].device == number
        assert source.sample_rate == TWO[number][2]
        source.close()


class TestLoss:
    def test_queue_is_bounded(self, sounddevice, monkeypatch):
        source = MicrophoneSource()
        (stream,) = sounddevice.streams
        stream.give(ramp(48000 * 30))
        stream.give(ramp(48000 * 2))
        source.close()
        assert sum(map(len, source.blocks())) == 48000 * 30
        (warning,) = source.warnings()
        assert warning.startswith("2.0 s of audio were lost, because the model is slower")

    def test_overflow_of_the_system(self, sounddevice):
        source = MicrophoneSource()
        (stream,) = sounddevice.streams
        stream.give(ramp(960), overflow=True)  # before there was anything to lose
        assert source.warnings() == []
        for _ in range(3):
            stream.give(ramp(960), overflow=True)
        source.close()
        assert source.warnings() == [
            "the system lost audio 3 times; it does not say how much",
        ]


class TestFailures:
    def failure(self, wanted=None):
        with pytest.raises(MicrophoneError) as caught:
            MicrophoneSource(wanted)
        assert "\n" not in str(caught.value)
        return str(caught.value)

    def test_without_the_package(self, monkeypatch):
        monkeypatch.setitem(sys.modules, "sounddevice", None)
        message = self.failure()
        assert message.startswith("sounddevice is not installed")
        assert message.endswith("pip install 'asr-runtime[mic]'")

    @pytest.mark.parametrize(
        ("error", "expected"),
        [
            (
                OSError("PortAudio library not found"),
                "PortAudio is missing (PortAudio library not found); install",
            ),
            (
                type("PortAudioError", (Exception,), {})("Error initializing PortAudio"),
                "PortAudio does not start (Error initializing PortAudio); check the system's sound",
            ),
        ],
        ids=["missing", "broken"],
    )
    def test_portaudio(self, tmp_path, monkeypatch, error, expected):
        (tmp_path / "sounddevice.py").write_text("import asr_runtime\nraise asr_runtime.raised")
        monkeypatch.setattr("asr_runtime.raised", error, raising=False)
        monkeypatch.delitem(sys.modules, "sounddevice", raising=False)
        monkeypatch.syspath_prepend(tmp_path)
        assert self.failure().startswith(expected)

    def test_bug_in_the_package_keeps_its_traceback(self, tmp_path, monkeypatch):
        (tmp_path / "sounddevice.py").write_text("1 / 0")
        monkeypatch.delitem(sys.modules, "sounddevice", raising=False)
        monkeypatch.syspath_prepend(tmp_path)
        with pytest.raises(ZeroDivisionError):
            MicrophoneSource()

    @pytest.mark.parametrize("devices", [(), (("Speaker", 0, 48000.0),)])
    def test_no_input_device(self, sounddevice, devices):
        sounddevice.devices = devices
        assert self.failure() == "there is no input device; connect a microphone"

    def test_no_default(self, sounddevice):
        sounddevice.default = -1
        assert self.failure() == (
            "there is no default input device; choose one of these: 0 Built-in"
        )

    @pytest.mark.parametrize("wanted", ["usb", "none", "9", "1", ""])
    def test_choice_that_is_not_one(self, sounddevice, wanted):
        sounddevice.devices = (*TWO[:1], ("Speaker", 0, 48000.0), *TWO[1:])
        assert self.failure(wanted) == (
            f"no input device, or more than one, is {wanted!r}; "
            "choose one of these: 0 Built-in, 2 USB Mic, 3 USB Headset"
        )

    def test_busy_device(self, sounddevice):
        sounddevice.busy = True
        message = self.failure()
        assert message.startswith("Built-in cannot be opened (Error opening InputStream: Device ")
        assert "close other programs" in message

    def test_unplugged(self, sounddevice):
        source = MicrophoneSource()
        (stream,) = sounddevice.streams
        stream.give(ramp(1920))
        stream.unplug()
        blocks = []
        with pytest.raises(MicrophoneError, match="stopped; is it still connected"):
            blocks.extend(source.blocks())
        assert sum(map(len, blocks)) == 1920
        source.close()

    def test_unplugged_while_the_queue_is_full(self, sounddevice):
        source = MicrophoneSource()
        (stream,) = sounddevice.streams
        stream.give(ramp(48000 * 31))
        stream.unplug()
        with pytest.raises(MicrophoneError, match="stopped"):
            list(source.blocks())
        source.close()

    def test_no_samples_any_more(self, sounddevice, monkeypatch):
        monkeypatch.setattr(microphone, "SILENT_SECONDS", 0.05)
        source = MicrophoneSource()
        with pytest.raises(MicrophoneError, match=r"gave no samples for 0\.05 s; is it still con"):
            list(source.blocks())
        source.close()


class TestDoctor:
    @pytest.fixture
    def examine(self, model_file, save_language_model):
        words = save_language_model(["hello"])

        def run(**options):
            found = diagnose("cpu", model=model_file, language_model=words, **options)
            return found.facts["microphone"], found

        return run

    def test_works(self, examine, sounddevice):
        sounddevice.devices = TWO
        facts, found = examine(microphone=True, input_device="headset")
        assert found.problems == []
        assert facts == {
            "sounddevice": "0.5.6",
            "portaudio": "PortAudio V19.7.0-devel",
            "input_devices": {"0": "Built-in", "1": "USB Mic", "2": "USB Headset"},
            "used": "USB Headset",
            "state": "works",
        }
        assert "input devices: 0 Built-in, 1 USB Mic, 2 USB Headset" in found.text()
        assert sounddevice.streams == []

    def test_none_is_a_problem_if_asked_for(self, examine, monkeypatch):
        monkeypatch.setitem(sys.modules, "sounddevice", None)
        facts, found = examine()
        assert facts["state"].startswith("sounddevice is not installed")
        assert found.problems == []
        _, found = examine(microphone=True)
        assert found.problems == [f"microphone: {facts['state']}"]

    def test_busy(self, examine, sounddevice):
        sounddevice.busy = True
        facts, found = examine(microphone=True)
        assert facts["state"].startswith("Built-in cannot be opened (Device unavailable")
        assert facts["used"] == "Built-in"
        assert len(found.problems) == 1
