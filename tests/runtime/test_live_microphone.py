"""``asr-run --microphone``: output, messages, exit status."""

import json
import signal
import sys
import threading

import numpy as np
import pytest

RATE = 16000
PAUSE = np.zeros(2 * RATE, np.float32)


class TestMicrophone:
    @pytest.fixture
    def talk(self, sounddevice, speech):
        """Have the microphone hear the speech and then be unplugged, or the user press Ctrl-C."""
        sounddevice.devices = (("Built-in", 1, float(RATE)),)

        def record(stream, end):
            stream.give(speech[: len(speech) // 2])
            stream.give(speech[len(speech) // 2 :])
            if end == "unplugged":
                stream.unplug()
            else:
                signal.raise_signal(signal.SIGINT)

        def prepare(end):
            sounddevice.on_start = lambda stream: record(stream, end)

        return prepare

    def test_ctrl_c_is_its_end(self, listen, talk):
        talk("Ctrl-C")
        assert listen("--microphone") == (0, "", [])  # still being opened

    def test_ctrl_c_keeps_what_was_said(self, listen, sounddevice, speech):
        sounddevice.devices = (("Built-in", 1, float(RATE)),)

        def start(stream):
            def talk():
                stream.give(speech)
                signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

            threading.Timer(0.3, talk).start()

        sounddevice.on_start = start
        assert listen("--microphone") == (0, "hello world\nit's two\n", [])

    def test_person_is_told_when_to_speak(self, listen, talk, monkeypatch):
        talk("unplugged")
        monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
        _, _, errors = listen("--microphone")
        assert errors[0] == "asr-run: listening to Built-in, 16000 Hz; Ctrl-C ends"

    def test_unplugged(self, listen, talk):
        talk("unplugged")
        status, output, errors = listen("--microphone")
        assert (status, output) == (1, "hello world\nit's two\n")
        assert errors == ["asr-run: microphone: stopped; is it still connected?"]

    def test_loss_is_told_once(self, listen, sounddevice):
        def start(stream):
            stream.give(np.full(48000 * 32, 0.1, np.float32))
            stream.unplug()

        sounddevice.on_start = start
        _, _, errors = listen("--microphone")
        assert len(errors) == 2
        assert errors[0].startswith("asr-run: warning: microphone: 2.0 s of audio were lost")

    def test_missing_package(self, listen, monkeypatch):
        monkeypatch.setitem(sys.modules, "sounddevice", None)
        status, output, errors = listen("--microphone")
        assert (status, output, len(errors)) == (1, "", 1)
        assert errors[0].startswith("asr-run: microphone: sounddevice is not installed")

    def test_input_device(self, listen, sounddevice):
        status, _, errors = listen("--microphone", "--input-device", "USB")
        assert (status, len(errors)) == (1, 1)
        assert "choose one of these: 0 Built-in" in errors[0]

    def test_doctor(self, listen, sounddevice, monkeypatch):
        arguments = ["--doctor", "--format", "json"]
        status, output, errors = listen(*arguments, "--microphone", "--input-device", "built")
        assert (status, errors) == (0, [])
        assert json.loads(output)["microphone"]["state"] == "works"
        monkeypatch.setitem(sys.modules, "sounddevice", None)
        assert listen(*arguments)[0] == 0
        status, _, errors = listen(*arguments, "--microphone")
        assert status == 1
        assert errors[0].startswith("asr-run: microphone: sounddevice is not installed")
