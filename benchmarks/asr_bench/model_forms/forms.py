"""Every form and precision that a model can be exported to, as files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from asr_export.exporting import export
from asr_export.formats.registry import format_named
from asr_export.quantization.precision import Precision
from asr_export.source.options import ExportOptions
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


def _form(name: str, precision: Precision) -> Form:
    row = format_named(name)

    def write(checkpoint: Checkpoint, path: Path) -> object:
        return export(checkpoint, path, ExportOptions(precision))

    return Form(row.title, precision, row.example, write)


#: In the order of the table; the first is what the others are compared with. To add a form that is
#: loaded in a new way, tell ``form_process`` how, by the suffix of its file.
FORMS: tuple[Form, ...] = (
    _form("onnx", Precision.fp32),
    _form("onnx", Precision.fp16),
    _form("onnx", Precision.int8),
    _form("ort", Precision.fp32),
    _form("ort", Precision.int8),
    _form("torchscript", Precision.fp32),
    _form("torchscript", Precision.int8),
    _form("pt2", Precision.fp32),
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
