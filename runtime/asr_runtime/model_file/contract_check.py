"""Does a loaded model have the inputs and outputs of the contract?"""

from collections.abc import Sequence
from typing import Any

from asr_runtime.errors import ModelFileError
from asr_runtime.model_file.contract import (
    CHUNK_FRAMES,
    CONTEXT_FRAMES,
    INPUT_LENGTHS,
    INPUT_VALUES,
    LOG_PROBS,
    NEXT_STATE,
    OUTPUT_LENGTHS,
    PHONEME_LOG_PROBS,
    STATE,
)
from asr_runtime.model_file.model_card import ModelCard

_FLOAT, _INTEGER = "tensor(float)", "tensor(int64)"
# Element type and rank by name.
_INPUTS = {INPUT_VALUES: (_FLOAT, 2), INPUT_LENGTHS: (_INTEGER, 1)}
_OUTPUTS = {LOG_PROBS: (_FLOAT, 3), OUTPUT_LENGTHS: (_INTEGER, 1)}
_PHONEME_OUTPUTS = {PHONEME_LOG_PROBS: (_FLOAT, 3)}
_STREAMING_INPUTS = {CONTEXT_FRAMES: (_INTEGER, 1), CHUNK_FRAMES: (_INTEGER, 1), STATE: (_FLOAT, 3)}
_STREAMING_OUTPUTS = {NEXT_STATE: (_FLOAT, 3)}


def check_contract(
    inputs: Sequence[Any], optional: Sequence[Any], outputs: Sequence[Any], card: ModelCard
) -> None:
    """Compare a session's inputs and outputs with the contract.

    Args:
        inputs: ONNX Runtime's `NodeArg` of each input that a caller must give.
        optional: the same of the inputs that have a default.
        outputs: the same of the outputs.
        card: the model's, which says whether it streams and has a phoneme head.

    Raises:
        ModelFileError: for the first difference: a name, an element type, a rank, or a number of
            classes that is not the vocabulary's.
    """
    _check("input", inputs, _INPUTS)
    _check("output", outputs, _OUTPUTS)
    if card.streaming is not None:
        _check("optional input", optional, _STREAMING_INPUTS)
        _check("output", outputs, _STREAMING_OUTPUTS)
    if card.phonemes is not None:
        _check("output", outputs, _PHONEME_OUTPUTS)
        _check_classes(outputs, PHONEME_LOG_PROBS, len(card.phonemes) + 1, "phonemes and a blank")
    unexpected = [node.name for node in inputs if node.name not in _INPUTS]
    if unexpected:
        raise ModelFileError(f"it wants an unknown input {unexpected[0]!r}; export it again")
    _check_classes(outputs, LOG_PROBS, len(card.vocabulary), "a vocabulary")


def _check_classes(outputs: Sequence[Any], name: str, expected: int, kind: str) -> None:
    classes = next(node.shape[-1] for node in outputs if node.name == name)
    if isinstance(classes, int) and classes != expected:
        raise ModelFileError(
            f"it has {classes} output classes and {kind} of {expected}; export it again"
        )


def _check(kind: str, nodes: Sequence[Any], expected: dict[str, tuple[str, int]]) -> None:
    node_of = {node.name: node for node in nodes}
    for name, (element, rank) in expected.items():
        node = node_of.get(name)
        if node is None:
            raise ModelFileError(
                f"it has no {kind} {name!r} but {', '.join(map(repr, node_of)) or 'none'}; "
                "export it again"
            )
        if node.type != element:
            raise ModelFileError(
                f"its {kind} {name!r} is {node.type} and not {element}; export it again"
            )
        if len(node.shape) != rank:
            raise ModelFileError(
                f"its {kind} {name!r} has {len(node.shape)} dimensions and not {rank}; "
                "export it again"
            )
