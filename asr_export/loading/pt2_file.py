"""Reading a ``torch.export`` program (.pt2) without trusting it.

``torch.export.load`` (PyTorch 2.11) does not suit files of unknown origin. A .pt2 is a zip of raw
weights and a graph in JSON, but the loader

- unpickles weights, constants and example inputs that the file declares to be pickled, with
  ``weights_only=False``, for the example inputs as soon as ``weights_only=True`` fails;
- loads compiled libraries that the file brings along;
- evaluates the graph's size expressions with ``sympy.sympify``, which is ``eval``, and executes
  its guards;
- looks up any attribute below ``torch``, ``math`` and ``operator`` as a node's function, and
  writes names from the file into the Python code it generates.

Here a file is checked first against what our own exports hold: raw tensors, a card, a graph of
known operators with plain names and size expressions. PyTorch then reads a copy of just these.
"""

from __future__ import annotations

import io
import json
import re
import warnings
from pathlib import Path
from typing import Any

import torch
from torch.export.pt2_archive._package import PT2ArchiveReader, PT2ArchiveWriter

from asr_export.errors import ExportError, first_line
from asr_runtime.model_file.contract import CARD_KEY

_GRAPH = "models/model.json"
_EXAMPLE = "data/sample_inputs/model.pt"
_CARD = f"extra/{CARD_KEY}"
#: What PyTorch's writer adds by itself.
_MARKS = re.compile(r"archive_format|archive_version|byteorder|\.data/\w+|version")
_TENSORS = re.compile(r"data/(weights/weight|constants/tensor)_\d+")
_TENSOR_LISTS = (
    "data/weights/model_weights_config.json",
    "data/constants/model_constants_config.json",
)

#: Operators of ``aten`` that may occur. Others can do harm: ``from_file``, for one, opens files.
_OPERATORS = frozenset(
    re.findall(
        r"\w+",
        """
        _assert_tensor_metadata _to_copy _unsafe_view add arange cat clamp clone conv1d conv2d div
        expand fill flatten floor_divide full_like gather gelu gru layer_norm linear log log_softmax
        lt mul new_zeros pad select select_scatter slice split sub sym_size transpose unsqueeze view
        where
        """,
    )
)
_TARGET = re.compile(r"torch\.ops\.aten\.(\w+)\.\w+|_operator\.(?:getitem|floordiv|add|sub|mul)")
_PLAIN = re.compile(r"[\w.+]*")
_SYMBOL = re.compile(r"Symbol\('s\d+', positive=True, integer=True\)")
_EXPRESSION = re.compile(r"(?:Add|Mul|Integer|FloorDiv|Mod|PythonMod|Max|Min|-?\d+|[(), ])*")
_STRUCTURE_TYPES = frozenset({"builtins.tuple", "builtins.list", "builtins.dict", None})


def load_pt2(path: Path) -> tuple[torch.nn.Module, str]:
    """Check a file, and load it onto the CPU.

    Returns:
        The module, and the JSON of its card; empty when it has none.

    Raises:
        ExportError: it is not such a file, or holds something that our exports do not.
    """
    try:
        records = _read(path)
    except Exception as error:  # of several kinds, depending on where the zip is damaged
        raise ExportError(f"{path} is not a torch.export program: {first_line(error)}") from None
    try:
        _check_records(records)
        records[_GRAPH] = json.dumps(_checked_graph(json.loads(records[_GRAPH]))).encode()
        program = _load(records)
    except _UnlikeError as error:
        raise ExportError(
            f"{path} is not a torch.export program of asr-export: {error}; it is not loaded, "
            "because such a file can bring code along"
        ) from None
    except Exception as error:
        raise ExportError(f"{path} is damaged: {first_line(error)}") from error
    return program, records.get(_CARD, b"").decode(errors="replace")


class _UnlikeError(Exception):
    """What in the file is not as in our exports."""


def _read(path: Path) -> dict[str, bytes]:
    with PT2ArchiveReader(io.BytesIO(path.read_bytes())) as reader:
        return {name: reader.read_bytes(name) for name in reader.get_file_names()}


def _check_records(records: dict[str, bytes]) -> None:
    for name in (_GRAPH, *_TENSOR_LISTS):
        if name not in records:
            raise _UnlikeError(f"it holds no {name}")
    for name, content in records.items():
        known = name in (_GRAPH, _CARD, *_TENSOR_LISTS) or _TENSORS.fullmatch(name)
        empty = name == _EXAMPLE and not content
        if not (known or empty or _MARKS.fullmatch(name)):
            raise _UnlikeError(f"it holds {name!r}")
    for name in _TENSOR_LISTS:
        folder = name.rpartition("/")[0]
        for key, entry in json.loads(records[name])["config"].items():
            if entry["use_pickle"] or f"{folder}/{entry['path_name']}" not in records:
                raise _UnlikeError(f"its tensor {key!r} is not stored as raw bytes")


def _checked_graph(graph: dict[str, Any]) -> dict[str, Any]:
    graph["guards_code"] = []
    _check(graph, "")
    return graph


def _check(value: Any, key: str) -> None:
    """Check every string of the JSON below ``key``; notes on the nodes are dropped."""
    if isinstance(value, dict):
        if "metadata" in value:
            value["metadata"] = {}
        for name, item in value.items():
            if name in ("as_graph", "as_operator", "as_custom_obj"):
                raise _UnlikeError(f"its graph holds {name!r}")
            if not _PLAIN.fullmatch(name):
                raise _UnlikeError(f"its graph holds the name {name!r}")
            _check(item, name)
    elif isinstance(value, list):
        for item in value:
            _check(item, key)
    elif isinstance(value, str) and not _CHECKS.get(key, _is_plain)(value):
        raise _UnlikeError(f"its graph holds {value[:60]!r} as {key!r}")


def _is_plain(text: str) -> bool:
    return _PLAIN.fullmatch(text) is not None


def _is_operator(text: str) -> bool:
    match = _TARGET.fullmatch(text)
    return match is not None and (match[1] is None or match[1] in _OPERATORS)


def _is_size(text: str) -> bool:
    return _EXPRESSION.fullmatch(_SYMBOL.sub("1", text)) is not None


def _is_structure(text: str) -> bool:
    def plain(node: Any) -> bool:
        children = all(plain(child) for child in node["children_spec"])
        return children and node["type"] in _STRUCTURE_TYPES

    _, structure = json.loads(text)
    return plain(structure)


_CHECKS = {
    "target": _is_operator,
    "expr_str": _is_size,
    "in_spec": _is_structure,
    "out_spec": _is_structure,
}


def _load(records: dict[str, bytes]) -> torch.nn.Module:
    archive = io.BytesIO()
    with PT2ArchiveWriter(archive) as writer:
        for name, content in records.items():
            if not _MARKS.fullmatch(name):
                writer.write_bytes(name, content)
    archive.seek(0)
    with warnings.catch_warnings():
        # PyTorch remarks on tensors that share a buffer it may not write to; nothing here does.
        warnings.simplefilter("ignore")
        return torch.export.load(archive).module()
