"""A punctuation model whose decisions are known: each word brings its own."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from asr_runtime.readable_text.annotation import Case, Sign
from asr_runtime.readable_text.punctuation_card import (
    FORMAT_VERSION,
    METADATA_KEY,
    PunctuationCard,
)
from asr_runtime.readable_text.word_table import WordTable

WORDS = ("i", "london", "McDonald", "nato", "stop", "what", "but", "mister", "smith", "may", "home")
CAPITALISED = ("london", "mcdonald", "mister", "smith", "may", "i")
WORDS_AHEAD = 2


def write_punctuation_model(path: Path, *, format_version: int = FORMAT_VERSION) -> Path:
    """Write a model that ends a sentence after "stop", and by a question mark after "what".

    There is a comma before "but", so a word's sign depends on the word after it.
    """
    table = WordTable(" ".join(WORDS), "")
    signs = np.zeros((table.rows, len(Sign)), np.float32)
    signs[:, Sign.NONE] = 4
    signs[table.row("stop"), Sign.FULL_STOP] = 9
    signs[table.row("what"), Sign.QUESTION_MARK] = 9
    signs[table.row("home"), Sign.FULL_STOP] = 3  # less than 4, but a pause would decide
    before = np.zeros_like(signs)
    before[table.row("but"), Sign.COMMA] = 6
    cases = np.zeros((table.rows, len(Case)), np.float32)
    cases[:, Case.LOWER] = 4
    cases[[table.row(word) for word in CAPITALISED], Case.CAPITALISED] = 9
    cases[table.row("nato"), Case.UPPER] = 9

    def constant(name: str, values: object, dtype: type = np.int64) -> object:
        return numpy_helper.from_array(np.array(values, dtype), name)

    nodes = [
        helper.make_node("Gather", ["own", "words"], ["own_signs"]),
        helper.make_node("Gather", ["before", "words"], ["before_signs"]),
        helper.make_node("Pad", ["before_signs", "pads"], ["padded"]),
        helper.make_node("Slice", ["padded", "starts", "ends", "axes"], ["shifted"]),
        helper.make_node("Add", ["own_signs", "shifted"], ["sign_logits"]),
        helper.make_node("LogSoftmax", ["sign_logits"], ["signs"], axis=-1),
        helper.make_node("Gather", ["case_table", "words"], ["case_logits"]),
        helper.make_node("LogSoftmax", ["case_logits"], ["cases"], axis=-1),
    ]
    graph = helper.make_graph(
        nodes,
        "punctuation",
        [helper.make_tensor_value_info("words", TensorProto.INT64, [1, "time"])],
        [
            helper.make_tensor_value_info("signs", TensorProto.FLOAT, [1, "time", 4]),
            helper.make_tensor_value_info("cases", TensorProto.FLOAT, [1, "time", 3]),
        ],
        [
            constant("own", signs, np.float32),
            constant("before", before, np.float32),
            constant("case_table", cases, np.float32),
            constant("pads", [0, 0, 0, 0, 1, 0]),
            constant("starts", [1]),
            constant("ends", [1 << 40]),
            constant("axes", [1]),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    card = PunctuationCard(format_version, 0, WORDS_AHEAD, " ".join(WORDS), "")
    helper.set_model_props(model, {METADATA_KEY: json.dumps(card.to_dict())})
    path.write_bytes(model.SerializeToString())
    return path
