"""Channels are mixed in one place, by one rule, whatever way the audio comes."""

import io
import json

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner

from asr_runtime import AudioContentError
from asr_runtime.audio.audio_reader import AudioReader, read_audio
from asr_runtime.audio.channels import ChannelMixer
from asr_runtime.audio.waveform import WaveformStream, to_waveform
from asr_runtime.live.pipe_source import PipeSource

TEXT, OTHER = "it's all good", "hello world"


def mixed(frames, cuts=(), channels="mix"):
    mixer = ChannelMixer(channels, 16000)
    return np.concatenate([mixer.mix(part) for part in np.split(frames, cuts)]), mixer.remarks


@pytest.fixture
def noise():
    return np.random.default_rng(0).normal(0, 0.1, (50_000, 3)).astype(np.float32)


def test_channels_that_do_not_cancel_are_averaged_bit_by_bit(noise):
    for frames in (noise[:, :1], noise[:, :2], noise, noise[:, [0, 0]], noise[:, :2] * [1, 0.5]):
        frames = frames.astype(np.float32)
        result, remarks = mixed(frames)
        np.testing.assert_array_equal(result, frames.mean(axis=1))
        assert remarks == []


@pytest.mark.parametrize("factors", [(1, -1), (1, -0.8), (-0.5, 1), (1, -1, 1), (0.01, 1, -1)])
def test_opposite_polarity_does_not_take_the_sound_away(noise, factors):
    frames = (noise[:, :1] * np.array(factors)).astype(np.float32)
    frames += 0.001 * noise[:, : len(factors)]
    result, remarks = mixed(frames)
    expected = np.abs(factors).mean() * noise[400:, 0]
    assert abs(np.corrcoef(result[400:], expected)[0, 1]) > 0.99
    assert result[400:].std() > 0.9 * expected.std()
    assert remarks == ["its channels have opposite polarity; one was turned around for the mix"]


def test_the_mix_does_not_depend_on_how_samples_are_divided(noise):
    frames = np.stack([noise[:, 0], -noise[:, 0] + 0.01 * noise[:, 1]], axis=1)
    frames[20_000:30_000] = noise[20_000:30_000, :2]
    whole, _ = mixed(frames)
    cuts = np.sort(np.random.default_rng(1).integers(0, len(frames), 300))
    np.testing.assert_array_equal(mixed(frames, cuts)[0], whole)


def test_one_channel_with_nothing_in_it_is_told(noise):
    frames = np.stack([noise[:, 0], 0 * noise[:, 0]], axis=1)
    assert mixed(frames)[1] == ["of its 2 channels nothing is in number 2"]


def test_every_route_has_the_same_rule(speak):
    """Files, pipes, arrays, live samples: none of them loses opposite phase."""
    speech = speak(TEXT)
    frames = np.stack([speech, -speech], axis=1)
    file = io.BytesIO()
    soundfile.write(file, frames, 16000, "FLOAT", format="WAV")
    content = file.getvalue()
    stream = WaveformStream(16000, 16000)
    routes = [
        read_audio(content)[0],
        np.concatenate(list(PipeSource(io.BytesIO(content)).blocks())),
        to_waveform(frames, 16000, 16000).samples,
        np.concatenate([stream.feed(frames[:999]), stream.feed(frames[999:]), stream.finish()]),
    ]
    for samples in routes:
        np.testing.assert_array_equal(samples, routes[0])
        assert np.abs(samples[400:]).max() > 0.9 * np.abs(speech).max()


class TestChoice:
    @pytest.fixture
    def call(self, speak, tmp_path):
        """A recorded call: one end on each channel."""
        ends = [speak(TEXT), speak(OTHER)]
        frames = np.zeros((max(map(len, ends)), 2), np.float32)
        for index, end in enumerate(ends):
            frames[: len(end), index] = end
        path = tmp_path / "call.wav"
        soundfile.write(path, frames, 16000)
        return path, frames

    def test_python(self, recognizer, call):
        path, frames = call
        for arguments in ((path,), (frames, 16000)):
            one, two = recognizer.transcribe_channels(*arguments)
            assert (one.text, one.channel, two.text, two.channel) == (TEXT, 1, OTHER, 2)
            alone = recognizer.transcribe(*arguments, channels=2)
            assert (alone.text, alone.channel) == (OTHER, 2)
            assert recognizer.transcribe(*arguments).channel is None

    @pytest.mark.parametrize("channels", [3, 0, -1, "left", True, 1.0])
    def test_what_is_no_channel(self, recognizer, call, channels):
        with pytest.raises(AudioContentError, match="channel"):
            recognizer.transcribe(call[0], channels=channels)

    def test_command(self, model_file, call):
        from asr_runtime.command.transcribe import app

        path = str(call[0])
        run = CliRunner().invoke
        options = ["--model", str(model_file), "--decoder", "greedy", "--channels"]
        assert run(app, [path, *options, "separate"]).stdout == (
            f"channel 1: {TEXT}\nchannel 2: {OTHER}\n"
        )
        assert run(app, [path, *options, "2"]).stdout == f"{OTHER}\n"
        lines = run(app, [path, *options, "separate", "--format", "json"]).stdout.splitlines()
        found = [json.loads(line) for line in lines]
        assert [(each["channel"], each["text"]) for each in found] == [(1, TEXT), (2, OTHER)]
        assert run(app, [path, *options, "both"]).exit_code == 2

    def test_blocks_begin_anew(self, call):
        with AudioReader(call[0]) as reader:
            for channel in (1, 2, 1):
                samples = np.concatenate(list(reader.blocks(channel)))
                np.testing.assert_allclose(samples, call[1][:, channel - 1], atol=1e-4)
