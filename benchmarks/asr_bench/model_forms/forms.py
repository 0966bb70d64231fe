"""Every form and precision that a model can be exported to, as files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from asr_export.formats.onnx import export_onnx
from asr_export.formats.ort import export_ort
from asr_export.formats.pt2 import export_pt2
from asr_export.formats.torchscript import export_torchscript
from asr_export.quantization.precision import Precision
from asr_train.checkpoints.checkpoint import Checkpoint


@dataclass(frozen=True)
class Form:
    """A form at a precision.

    Attributes:
        name: of the form, for the tables.
        precision: of the weights in the file.
        file_name: what the file is called; its suffix tells how to load it.
        export: writes the verified file at a path.
    """

    name: str
    precision: Precision
    file_name: str
    export: Callable[[Checkpoint, Path], object]

    @property
    def label(self) -> str:
        """Name and precision, unlike that of any other form."""
        return f"{self.name} {self.precision.value}"

    def path_in(self, folder: Path) -> Path:
        """Where ``export_forms`` writes it."""
        return folder / self.label.replace(" ", "-").lower() / self.file_name


def _onnx(precision: Precision) -> Form:
    return Form(
        "ONNX",
        precision,
        "model.onnx",
        lambda checkpoint, path: export_onnx(checkpoint, path, precision),
    )


#: In the order of the table; the first is what the others are compared with. To add a form that is
#: loaded in a new way, tell ``form_process`` how, by the suffix of its file.
FORMS: tuple[Form, ...] = (
    _onnx(Precision.fp32),
    _onnx(Precision.fp16),
    _onnx(Precision.int8),
    Form("ORT", Precision.fp32, "model.ort", export_ort),
    Form(
        "ORT",
        Precision.int8,
        "model.ort",
        lambda checkpoint, path: export_ort(checkpoint, path, Precision.int8),
    ),
    Form("TorchScript", Precision.fp32, "model.pt", export_torchscript),
    Form(
        "TorchScript",
        Precision.int8,
        "model.pt",
        lambda checkpoint, path: export_torchscript(checkpoint, path, Precision.int8),
    ),
    Form("torch.export", Precision.fp32, "model.pt2", export_pt2),
)


def export_forms(
    checkpoint: Checkpoint,
    folder: Path,
    forms: Sequence[Form],
    *,
    before_each: Callable[[str], object] = lambda label: None,
) -> dict[str, Path]:
    """The files of all forms by label, each in a folder of its own within ``folder``.

    Raises:
        ParityError: a form gives other results, so its figures mean nothing.
    """
    files = {}
    for form in forms:
        before_each(form.label)
        path = files[form.label] = form.path_in(folder)
        path.parent.mkdir()
        form.export(checkpoint, path)
    return files
