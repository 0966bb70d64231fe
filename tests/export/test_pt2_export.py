"""The torch.export form keeps the contract, needs torch alone, and is read without trust."""

from __future__ import annotations

import io
import json
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.export.pt2_archive._package import PT2ArchiveReader, PT2ArchiveWriter

from asr_export import ExportError, ParityError, export, read_card
from asr_export.formats import pt2 as pt2_export
from asr_export.formats.registry import load_backend
from asr_export.loading.backends import TorchBackend
from asr_export.verification.probe import probe_signal
from asr_train.checkpoints.checkpoint import Checkpoint

GRAPH = "models/model.json"


@pytest.fixture(scope="module")
def exported(export_tiny: Callable[..., Path]) -> Path:
    return export_tiny("model.pt2")


@pytest.fixture(scope="module")
def records(exported: Path) -> dict[str, bytes]:
    with PT2ArchiveReader(io.BytesIO(exported.read_bytes())) as reader:
        names = reader.get_file_names()
        return {
            name: reader.read_bytes(name)
            for name in names
            if name.startswith(("data/", "models/", "extra/"))
        }


def _write(path: Path, records: dict[str, bytes]) -> Path:
    archive = io.BytesIO()
    with PT2ArchiveWriter(archive) as writer:
        for name, content in records.items():
            writer.write_bytes(name, content)
    path.write_bytes(archive.getvalue())
    return path


def test_card_and_report_are_there(exported: Path, loaded: Checkpoint) -> None:
    assert read_card(exported).checkpoint_sha256 == loaded.sha256
    assert json.loads(exported.with_name("model.pt2.parity.json").read_text())["passed"]


@pytest.mark.parametrize("samples", [100, 800, 20_000])
def test_any_length_and_a_batch_of_one(exported: Path, loaded: Checkpoint, samples: int) -> None:
    values, lengths = probe_signal(2.0, 1)[None, :samples], np.array([samples])
    found, frames = load_backend(exported)(values, lengths)
    wanted, wanted_frames = TorchBackend(loaded.model)(values, lengths)
    assert frames.tolist() == wanted_frames.tolist()
    np.testing.assert_allclose(found, wanted, atol=1e-4)


def test_it_needs_torch_alone(exported: Path, loaded: Checkpoint) -> None:
    program = """
import sys, torch
extra = {"model_card": ""}
model = torch.export.load(sys.argv[1], extra_files=extra).module()
values = torch.linspace(-1, 1, 3 * 16000).reshape(3, 16000) ** 3
logprobs, frames = model(values, torch.tensor([16000, 9000, 800]))
ours = [name for name in sys.modules if name.startswith(("asr_", "torchaudio"))]
assert not ours, ours
print(frames.tolist(), logprobs.shape[1], float(logprobs[1, :19].sum()), len(extra["model_card"]))
"""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    result = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program, exported],
        capture_output=True,
        text=True,
        env=environment,
        cwd=exported.parent,
        check=True,
    )
    *frames, width, total, card = result.stdout.replace("[", "").replace("]", "").split()
    values = torch.linspace(-1, 1, 3 * 16000).reshape(3, 16000) ** 3
    wanted, wanted_frames = loaded.model(values, torch.tensor([16000, 9000, 800]))
    assert [int(text.strip(",")) for text in frames] == wanted_frames.tolist()
    assert int(width) == wanted.shape[1]
    assert float(total) == pytest.approx(float(wanted[1, :19].detach().sum()), rel=1e-4)
    assert int(card) > 100


def test_standard_operators_and_nothing_of_the_exporting_machine(
    exported: Path, records: dict[str, bytes]
) -> None:
    nodes = json.loads(records[GRAPH])["graph_module"]["graph"]["nodes"]
    targets = [node["target"] for node in nodes]
    assert targets.count("torch.ops.aten.gru.input") == 4
    assert all(name.startswith(("torch.ops.aten.", "_operator.")) for name in targets)
    content = exported.read_bytes()
    for trace in (b"site-packages", b".py", str(Path.home()).encode() + b"/"):
        assert trace not in content, trace


def test_commands(
    asr_export: Callable[..., tuple[int, str, str]],
    exported: Path,
    tiny_checkpoint: Path,
    tmp_path: Path,
) -> None:
    code, _, stderr = asr_export("pt2", tiny_checkpoint, tmp_path / "a.onnx")
    assert (code, stderr.count("\n")) == (1, 1)
    assert "must end in .pt2" in stderr
    code, stdout, stderr = asr_export("verify", tiny_checkpoint, exported)
    assert (code, stderr) == (0, "")
    code, stdout, _ = asr_export("inspect", exported, "--json")
    assert json.loads(stdout)["format"] == "pt2"


@pytest.mark.usefixtures("short_checks")
def test_a_failed_check_leaves_no_file(
    exported: Path, loaded: Checkpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = torch.export.load(exported)  # as tracing once more would give
    monkeypatch.setattr(pt2_export, "to_pt2", lambda _: program)
    original = pt2_export.load_pt2

    def wrong(path: Path) -> tuple[Callable[..., Any], str]:
        module, card = original(path)
        return torch.fx.GraphModule({"inner": module}, _shifted(module)), card

    monkeypatch.setattr(pt2_export, "load_pt2", wrong)
    with pytest.raises(ParityError):
        export(loaded, tmp_path / "model.pt2")
    assert list(tmp_path.iterdir()) == []


def _shifted(module: torch.nn.Module) -> torch.fx.Graph:
    graph = torch.fx.Graph()
    inputs = (graph.placeholder("input_values"), graph.placeholder("input_lengths"))
    outputs = graph.call_module("inner", inputs)
    parts = [graph.call_function(lambda pair, index: pair[index], (outputs, i)) for i in (0, 1)]
    graph.output((graph.call_function(torch.add, (parts[0], 0.01)), parts[1]))
    return graph


class _Touch:
    """Unpickled, it makes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self.path,))


class TestHostileFiles:
    """Whatever would make PyTorch's own loader run the file's code is refused or left unread."""

    @pytest.mark.parametrize(
        ("wanted", "put"),
        [
            ('"expr_str": "', "\"expr_str\": \"__import__('os').mkdir('MARK') or "),
            ('"expr_str": "', '"expr_str": "exec(chr(105)) + '),
            ('"torch.ops.aten.gelu.default"', '"torch.ops.aten.from_file.default"'),
            ('"torch.ops.aten.gelu.default"', '"torch.hub.load"'),
            ('"torch.ops.aten.gelu.default"', '"math.sin"'),
            ('"name": "input_values"', '"name": "input_values=print(1)"'),
            ('\\"builtins.dict\\"', '\\"collections.defaultdict\\"'),
        ],
    )
    def test_code_in_the_graph(
        self, records: dict[str, bytes], tmp_path: Path, wanted: str, put: str
    ) -> None:
        graph = records[GRAPH].decode()
        assert wanted in graph
        changed = graph.replace(wanted, put.replace("MARK", str(tmp_path / "mark")))
        path = _write(tmp_path / "model.pt2", {**records, GRAPH: changed.encode()})
        with pytest.raises(ExportError, match="its graph holds"):
            load_backend(path)
        assert not (tmp_path / "mark").exists()

    def test_guards_are_not_executed(self, records: dict[str, bytes], tmp_path: Path) -> None:
        graph = json.loads(records[GRAPH])
        mark = tmp_path / "mark"
        graph["guards_code"] = [f"__import__('os').mkdir({str(mark)!r}) is None"]
        path = _write(tmp_path / "model.pt2", {**records, GRAPH: json.dumps(graph).encode()})
        load_backend(path)(np.zeros((1, 800), np.float32), np.array([800]))
        assert not mark.exists()

    @pytest.mark.parametrize(
        "name",
        [
            "data/sample_inputs/model.pt",
            "data/weights/model.pt",
            "data/constants/custom_obj_0",
            "data/aotinductor/model/model.so",
        ],
    )
    def test_other_records(self, records: dict[str, bytes], tmp_path: Path, name: str) -> None:
        mark = tmp_path / "mark"
        path = _write(tmp_path / "model.pt2", {**records, name: pickle.dumps(_Touch(mark))})
        with pytest.raises(ExportError, match=f"it holds '{name}'"):
            load_backend(path)
        assert not mark.exists()

    def test_pickled_weights(self, records: dict[str, bytes], tmp_path: Path) -> None:
        mark = tmp_path / "mark"
        name = "data/weights/model_weights_config.json"
        config = json.loads(records[name])
        config["config"]["conv.weight"]["use_pickle"] = True
        buffer = io.BytesIO()
        torch.save(_Touch(mark), buffer)
        stored = f"data/weights/{config['config']['conv.weight']['path_name']}"
        changed = {name: json.dumps(config).encode(), stored: buffer.getvalue()}
        path = _write(tmp_path / "model.pt2", {**records, **changed})
        with pytest.raises(ExportError, match=r"'conv\.weight' is not stored as raw bytes"):
            load_backend(path)
        assert not mark.exists()

    def test_no_program_at_all(self, tmp_path: Path) -> None:
        path = tmp_path / "model.pt2"
        for content in (b"", b"\x93garbage" * 40):
            path.write_bytes(content)
            with pytest.raises(ExportError, match=r"is not a torch\.export program"):
                load_backend(path)
