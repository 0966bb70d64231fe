"""ONNX to ONNX Runtime's own format, which its reduced and minimal builds read.

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
from pathlib import Path

import onnx
import onnxruntime

from asr_export.graph.weight_storage import store_compactly
from asr_export.quantization.precision import Precision

_Level = onnxruntime.GraphOptimizationLevel


def write_ort(model: onnx.ModelProto, path: Path, precision: Precision) -> None:
    """Write ``model``, whose weights fit ``precision``, to ``path``, whose name must end in .ort.

    fp32 weights are stored expanded: the file is larger and does no work twice. The others are
    expanded by the first nodes of every run.
    """
    with tempfile.TemporaryDirectory() as folder:
        optimised = Path(folder) / "optimised.onnx"
        # Not beyond: layouts for one kind of processor come next, and the file should be portable.
        _save(model, optimised, _Level.ORT_ENABLE_EXTENDED, "ONNX")
        graph = onnx.load(optimised)
        if precision is not Precision.fp32:
            store_compactly(graph)
        _save(graph, path, _Level.ORT_DISABLE_ALL, "ORT")


def write_required_operators(model: Path, path: Path, title: str) -> None:
    """The operators and types of the .ort file ``model``, for ``--include_ops_by_config``.

    ONNX Runtime's ``build.py`` makes a build with these alone; ``title`` names the model in it.
    """
    # Imported late: it puts a folder of its own on sys.path, and its log on standard error.
    from onnxruntime.tools.ort_format_model import create_config_from_models

    logging.getLogger("ort_format_model.utils").setLevel(logging.WARNING)
    create_config_from_models([model], path, enable_type_reduction=True)
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace(str(model), title), encoding="utf-8")


def _save(model: onnx.ModelProto, path: Path, level: object, form: str) -> None:
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = level
    options.optimized_model_filepath = str(path)
    options.log_severity_level = 3  # errors come as exceptions
    options.add_session_config_entry("session.save_model_format", form)
    onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
