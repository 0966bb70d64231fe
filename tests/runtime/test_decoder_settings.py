"""Settings of the beam search and of the end of sentences: what is out of range."""

import math

import pytest

from asr_runtime import BeamConfig, DecoderError, EndpointConfig


@pytest.mark.parametrize(
    "settings",
    [
        {"beam_size": 0},
        {"beam_size": 2.5},
        {"beam_threshold": -1.0},
        {"label_threshold": 0.0},
        {"label_threshold": 1.0},
        {"language_model_weight": math.nan},
        {"word_bonus": math.inf},
        {"hotword_bonus": -1.0},
    ],
)
def test_beam_settings_out_of_range(settings):
    with pytest.raises(DecoderError, match=next(iter(settings))):
        BeamConfig(**settings)


@pytest.mark.parametrize(
    "settings",
    [
        {"silence_seconds": 0.0},
        {"silence_seconds": math.nan},
        {"max_seconds": 0.5},
        {"max_seconds": -1.0},
    ],
)
def test_endpoint_settings_out_of_range(settings):
    with pytest.raises(DecoderError, match=next(iter(settings))):
        EndpointConfig(**settings)
