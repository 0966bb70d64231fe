"""What files and programs agree on is written down once: the model contract, and word ids."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from asr_runtime.language import language_model
from asr_runtime.model_file import contract

ROOT = Path(__file__).parents[1]
SOURCE = [
    path
    for folder in ("runtime/asr_runtime", "train/asr_train", "asr_export", "benchmarks/asr_bench")
    for path in sorted((ROOT / folder).rglob("*.py"))
]
#: Where the contract is; the card's JSON keys are there too, and two are called as tensors are.
ROOM = {"contract.py", "model_card.py"}
#: Other things that happen to have the same value: a file that holds 16 kHz audio among others, a
#: row that is never reached, a number for fuzzing, and the usual rate of a headerless stream.
HOMONYMS = {"seeds.py", "packed_model.py", "mutations.py", "raw_stream.py"}

TENSORS = {
    value
    for name, value in vars(contract).items()
    if name.isupper() and isinstance(value, str) and name != "STATE"
}
#: Constants that may have one definition in the source, and where.
ONCE = {
    "SAMPLE_RATE": "contract.py",
    "ALL_FRAMES": "contract.py",
    "CARD_KEY": "contract.py",
    "CARD_FORMAT_VERSION": "contract.py",
    "UNKNOWN": "language_model.py",
    "FIRST_WORD": "language_model.py",
    "MAX_READABLE_ORDER": "language_model_file.py",
    "MAX_COUNTED_ORDER": "counting.py",
}


@pytest.fixture(scope="module")
def trees() -> Iterator[dict[Path, ast.Module]]:
    """The source as syntax trees, which take half a second to make, and memory."""
    parsed = {path: ast.parse(path.read_text(encoding="utf-8")) for path in SOURCE}
    yield parsed
    parsed.clear()


def elsewhere(trees: dict[Path, ast.Module]) -> Iterator[tuple[Path, ast.AST]]:
    """Every node outside the room of the contract, with its file."""
    for path, tree in trees.items():
        if path.name not in ROOM:
            yield from ((path, node) for node in ast.walk(tree))


def where(path: Path, node: ast.expr | ast.stmt) -> str:
    return f"{path.relative_to(ROOT)}:{node.lineno}"


def test_the_names_are_the_ones_that_other_programs_use() -> None:
    """The format of files stays: onnx-asr and others rely on these."""
    assert {
        "input_values",
        "input_lengths",
        "logprobs",
        "output_lengths",
        "phoneme_logprobs",
        "context_frames",
        "chunk_frames",
        "next_state",
        "model_card",
    } == TENSORS
    assert contract.STATE == "state"
    assert (contract.SAMPLE_RATE, contract.CARD_FORMAT_VERSION) == (16_000, 1)
    assert (language_model.UNKNOWN, language_model.BOUNDARY, language_model.FIRST_WORD) == (0, 1, 2)


def test_no_other_module_spells_a_tensors_name(trees: dict[Path, ast.Module]) -> None:
    found = [
        f"{where(path, node)} {node.value!r}"
        for path, node in elsewhere(trees)
        if isinstance(node, ast.Constant) and node.value in TENSORS
    ]
    assert not found


@pytest.mark.parametrize("value", [contract.SAMPLE_RATE, contract.ALL_FRAMES])
def test_no_other_module_spells_the_contracts_numbers(
    trees: dict[Path, ast.Module], value: int
) -> None:
    found = []
    for path, node in elsewhere(trees):
        shifted = isinstance(node, ast.BinOp) and ast.unparse(node) == "1 << 40"
        same = isinstance(node, ast.Constant) and node.value == value
        if same or (shifted and value == 1 << 40):
            found.append(path.name)
    assert set(found) <= HOMONYMS, found


@pytest.mark.parametrize("name", ONCE)
def test_one_module_defines_each_constant(trees: dict[Path, ast.Module], name: str) -> None:
    """A module that takes it from there under the same name (``= contract.NAME``) defines none."""
    found = set()
    for path, tree in trees.items():
        for node in tree.body:
            targets = node.targets if isinstance(node, ast.Assign) else []
            named = any(isinstance(one, ast.Name) and one.id == name for one in targets)
            if named and not (
                isinstance(node, ast.Assign) and isinstance(node.value, ast.Attribute)
            ):
                found.add(path.name)
    assert found == {ONCE[name]}
