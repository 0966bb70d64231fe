"""A model card is written as it is read."""

from __future__ import annotations

import json

import pytest

from asr_runtime import ModelCard, ModelFileError, Recognizer
from asr_runtime.model_file.model_card import StreamingCard

NEEDED = {
    "format_version": 1,
    "sample_rate": 16000,
    "vocabulary": ["a", " ", "<blk>"],
    "blank_id": 2,
    "frame_stride": 480,
}
#: All that the exporter writes, in its order.
WHOLE = {
    **NEEDED,
    "phonemes": ["AA", "AE"],
    "architecture": {"name": "ResCNN-BiGRU", "gru_hidden": 24},
    "parameters": 12345,
    "precision": "fp16",
    "precision_note": "weights and arithmetic in float16",
    "arithmetic": "fp16",
    "producer": "asr-export 0.1.0",
    "versions": {"torch": "2.11.0"},
    "checkpoint_sha256": "0" * 64,
    "training": {"step": 3},
    "word_error_rate": None,
    "documentation": "# Grüße\n",
    "streaming": {
        "chunk_frames": 21,
        "lookahead_frames": 11,
        "context_frames": 7,
        "state_shape": [3, 256],
        "latency_ms": 960.0,
    },
    "language": "en",
}


def test_reading_and_writing_keeps_every_byte() -> None:
    text = json.dumps(WHOLE)
    card = ModelCard.from_json(text)
    assert card.to_json() == text
    assert ModelCard.from_json(card.to_json()) == card
    assert (card.parameters, card.arithmetic, card.training) == (12345, "fp16", {"step": 3})
    assert card.documentation == "# Grüße\n"
    assert card.extra == {"language": "en"}
    assert card.streaming == StreamingCard(21, 11, 7, (3, 256), 960.0)


def test_what_is_not_known_is_not_written() -> None:
    card = ModelCard.from_json(json.dumps(NEEDED))
    assert card.to_dict() == {
        **NEEDED,
        "architecture": {},
        "versions": {},
        "training": {},
        "word_error_rate": None,
    }
    assert ModelCard.from_json(card.to_json()) == card


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("parameters", -1),
        ("parameters", 1.5),
        ("precision_note", 1),
        ("arithmetic", ["fp16"]),
        ("training", "long"),
        ("documentation", {}),
        ("streaming", {**WHOLE["streaming"], "latency_ms": "soon"}),  # type: ignore[dict-item]
    ],
)
def test_a_description_of_another_type_is_refused(key: str, value: object) -> None:
    wrong = "latency_ms" if key == "streaming" else key
    with pytest.raises(ModelFileError, match=f"'{wrong}' should be .*; export it again"):
        ModelCard.from_json(json.dumps({**WHOLE, key: value}))


class TestOfStrangers:
    @pytest.mark.parametrize("open_bracket", ["[", '{"a":'])
    def test_deep_nesting(self, save_model, open_bracket):
        text = '{"format_version": 1, "x": ' + open_bracket * 100_000
        with pytest.raises(ModelFileError, match="nested deeper than 16 levels"):
            Recognizer.load(save_model(card=text), device="cpu")

    def test_brackets_in_strings_are_no_nesting(self, save_model, card):
        path = save_model(card=card | {"note": '\\"[' * 50})
        assert Recognizer.load(path, device="cpu").card.extra["note"] == '\\"[' * 50

    @pytest.mark.parametrize(
        ("key", "value"),
        [
            ("sample_rate", 10**12),
            ("frame_stride", 10**12),
            ("vocabulary", [str(number) for number in range(5000)]),
            ("vocabulary", ["a" * 1000, "b"]),
            ("vocabulary", ["\x1b[31m", "b"]),
            ("vocabulary", ["\ud800", "b"]),
            ("architecture", "large"),
            ("precision", ["int8"]),
        ],
    )
    def test_values_out_of_bounds(self, save_model, card, key, value):
        path = save_model(card=card | {key: value, "blank_id": 0})
        with pytest.raises(ModelFileError, match=f"'{key}' should be"):
            Recognizer.load(path, device="cpu")
