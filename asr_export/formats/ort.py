"""Checkpoint to ONNX Runtime's own format, which its reduced and minimal builds read.

Such a file is opened as it is: ONNX Runtime optimises an ONNX file when it opens it, and hardly
does so for this format. What the optimiser should do has to be done before the file is written.
Neither of its two usual ways suits weights that are stored compactly: with constant folding the
file holds them as float32 again (the edge model in int8: 15.5 MB and not 4.5 MB), without it the
front end's constants are computed anew at each run. So everything is optimised and folded first,
and the weights are stored compactly after.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Mapping
from pathlib import Path

import onnx
import onnxruntime

from asr_export.formats.model_format import ModelFormat
from asr_export.formats.onnx import to_onnx
from asr_export.graph.weight_storage import store_compactly
from asr_export.loading.backends import Backend, OnnxBackend
from asr_export.loading.model_files import require_file
from asr_export.quantization.precision import Precision
from asr_export.source.quantized_checkpoint import QuantizedCheckpoint

_Level = onnxruntime.GraphOptimizationLevel
_OPERATORS_SUFFIX = ".required_operators.config"


class OrtFormat(ModelFormat):
    """ORT, with the operators that it needs in a file beside it."""

    def write(self, source: QuantizedCheckpoint, path: Path) -> None:
        """Write the optimised graph."""
        write_ort(to_onnx(source), path, source.options.precision)

    def companions(
        self, source: QuantizedCheckpoint, draft: Path, path: Path
    ) -> Mapping[Path, str]:
        """List the operators that a reduced build of ONNX Runtime has to have."""
        del source
        return {path.with_suffix(_OPERATORS_SUFFIX): required_operators(draft, path.name)}

    def open(self, path: Path, threads: int | None = None) -> tuple[Backend, str]:
        """Open a session on the CPU."""
        require_file(path)
        backend = OnnxBackend(path, threads)
        return backend, backend.card_text


def write_ort(model: onnx.ModelProto, path: Path, precision: Precision) -> None:
    """Write a graph in ONNX Runtime's format.

    fp32 weights are stored expanded: the file is larger and does no work twice. The others are
    expanded by the first nodes of every run.

    Args:
        model: the graph, whose weights fit the precision.
        path: the file's, whose name must end in .ort.
        precision: of the weights.
    """
    with tempfile.TemporaryDirectory() as folder:
        optimised = Path(folder) / "optimised.onnx"
        # Not beyond: layouts for one kind of processor come next, and the file should be portable.
        _save(model, optimised, _Level.ORT_ENABLE_EXTENDED, "ONNX")
        graph = onnx.load(optimised)
        if precision is not Precision.fp32:
            store_compactly(graph)
        _save(graph, path, _Level.ORT_DISABLE_ALL, "ORT")


def required_operators(model: Path, title: str) -> str:
    """List the operators and types of a .ort file, for ``--include_ops_by_config``.

    ONNX Runtime's ``build.py`` makes a build with these alone.

    Args:
        model: the file.
        title: what to call it in the list.
    """
    # Imported late: it puts a folder of its own on sys.path, and its log on standard error.
    from onnxruntime.tools.ort_format_model import create_config_from_models

    logging.getLogger("ort_format_model.utils").setLevel(logging.WARNING)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "operators.config"
        create_config_from_models([model], path, enable_type_reduction=True)
        return path.read_text(encoding="utf-8").replace(str(model), title)


def _save(model: onnx.ModelProto, path: Path, level: object, form: str) -> None:
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = level
    options.optimized_model_filepath = str(path)
    options.log_severity_level = 3  # errors come as exceptions
    options.add_session_config_entry("session.save_model_format", form)
    onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
