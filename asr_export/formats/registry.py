"""The formats that a model is exported to, one row each.

Everything that asks for a format asks this table: the commands, loading a file, the benchmarks. It
is light: the module of a format, and PyTorch with it, is imported when it is first used.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from asr_export.errors import ExportError
from asr_export.quantization.precision import Arithmetic, Precision
from asr_export.source.options import ExportOptions
from asr_runtime.errors import ModelFileError
from asr_runtime.model_file.contract import CARD_KEY
from asr_runtime.model_file.model_card import ModelCard

if TYPE_CHECKING:
    from asr_export.formats.model_format import ModelFormat
    from asr_export.loading.backends import Backend

_WEIGHTS_ALONE = {precision: (Arithmetic.fp32,) for precision in Precision}


@dataclass(frozen=True)
class Format:
    """One row: what can be known about a format without importing its module.

    Attributes:
        name: of the command, of the module in this package, and in reports.
        title: for tables and messages.
        suffixes: of file names, small letters; none for the format of all other suffixes.
        implementation: class in the format's module.
        name_rule: what is wrong with a file's name that has another suffix; ``{suffix}`` stands for
            it.
        summary: what the command does.
        example: a file name for the command's help.
        arithmetic: what files compute in by the precision of their weights, the default first.
        precision_help: what a choice of precision means here.
        streams: whether files can be run chunk by chunk as well.
        any_case: whether the suffix may be in capital letters.
    """

    name: str
    title: str
    suffixes: tuple[str, ...]
    implementation: str
    name_rule: str
    summary: str
    example: str
    arithmetic: Mapping[Precision, tuple[Arithmetic, ...]]
    precision_help: str = ""
    streams: bool = False
    any_case: bool = False

    @property
    def precisions(self) -> tuple[Precision, ...]:
        """The precisions that files come in."""
        return tuple(self.arithmetic)

    @property
    def files(self) -> ModelFormat:
        """What writes and opens files; imports the format's module."""
        module = import_module(f"asr_export.formats.{self.name}")
        implementation: type[ModelFormat] = getattr(module, self.implementation)
        return implementation()

    def check_name(self, path: Path) -> None:
        """Make sure that a file to be written is called as the format's files are.

        Raises:
            ExportError: it has another suffix.
        """
        suffix = path.suffix.lower() if self.any_case else path.suffix
        if format_of(path) is not self or (self.suffixes and suffix not in self.suffixes):
            raise ExportError(f"{path}: {self.name_rule.format(suffix=path.suffix)}")

    def settle(self, options: ExportOptions) -> ExportOptions:
        """Choose what was left open, and refuse what the format does not come in.

        Raises:
            ExportError: it does not have the precision, the arithmetic, or streams.
        """
        if options.precision not in self.arithmetic:
            known = " and ".join(precision.value for precision in self.precisions)
            raise ExportError(f"{self.title} comes in {known}; choose one of them with --precision")
        if options.chunking is not None and not self.streams:
            able = " or ".join(row.title for row in FORMATS if row.streams)
            raise ExportError(f"{self.title} files cannot stream; export to {able}")
        choices = self.arithmetic[options.precision]
        settled = replace(options, arithmetic=options.arithmetic or choices[0])
        if settled.arithmetic not in choices:
            raise ExportError(self._refusal(settled))
        return settled

    def _refusal(self, options: ExportOptions) -> str:
        """Why files of this precision do not compute in what was chosen, and what to do."""
        chosen = options.computes_in
        for row in (self, *FORMATS):
            for precision, choices in row.arithmetic.items():
                if chosen not in choices:
                    continue
                if row is self:
                    return (
                        f"--arithmetic {chosen.value} needs {_WEIGHTS[precision]} weights; "
                        f"give --precision {precision.value} as well"
                    )
                further = "" if chosen is choices[0] else f" --arithmetic {chosen.value}"
                return (
                    f"{self.title} files do not compute in {chosen.value}; {row.title} does: "
                    f"asr-export {row.name} --precision {precision.value}{further}"
                )
        return f"no format computes in {chosen.value}; choose another --arithmetic"


_WEIGHTS = {Precision.fp32: "float32", Precision.fp16: "float16", Precision.int8: "int8"}

FORMATS: tuple[Format, ...] = (
    Format(
        name="onnx",
        title="ONNX",
        suffixes=(".onnx",),
        implementation="OnnxFormat",
        name_rule="an ONNX file's name must end in .onnx",
        any_case=True,
        summary="Export to ONNX, verify, and write vocab.txt and config.json beside it.",
        example="model.onnx",
        precision_help="How the file holds the weights: as they are, rounded to float16, or to "
        "int8 and float16.",
        arithmetic={**_WEIGHTS_ALONE, Precision.fp16: (Arithmetic.fp32, Arithmetic.fp16)},
        streams=True,
    ),
    Format(
        name="ort",
        title="ORT",
        suffixes=(".ort",),
        implementation="OrtFormat",
        name_rule="the file's name must end in .ort; ONNX Runtime goes by it",
        summary="Export to ONNX Runtime's own format, for reduced builds of it, and verify.",
        example="model.ort",
        precision_help="How the file holds the weights. fp16 and int8 are expanded at every run, "
        "which takes a little time.",
        arithmetic=_WEIGHTS_ALONE,
        streams=True,
    ),
    Format(
        name="pt2",
        title="torch.export",
        suffixes=(".pt2",),
        implementation="TorchExportFormat",
        name_rule="the file's name must end in .pt2; PyTorch goes by it",
        summary="Export to a torch.export program and verify.",
        example="model.pt2",
        arithmetic={Precision.fp32: (Arithmetic.fp32,)},
    ),
    Format(
        name="torchscript",
        title="TorchScript",
        suffixes=(),
        implementation="TorchScriptFormat",
        name_rule="a TorchScript file's name must not end in {suffix}",
        summary="Export to TorchScript and verify.",
        example="model.pt",
        precision_help="fp32, or int8 weights and arithmetic in recurrent and linear layers.",
        arithmetic={Precision.fp32: (Arithmetic.fp32,), Precision.int8: (Arithmetic.int8,)},
    ),
)
"""All formats, in the order of tables; the last one has the suffixes that no other has."""


def format_of(path: str | os.PathLike[str]) -> Format:
    """Choose the format of a file by its suffix."""
    suffix = Path(path).suffix.lower()
    return next((row for row in FORMATS if suffix in row.suffixes), FORMATS[-1])


def format_named(name: str) -> Format:
    """Find a format by the name of its command.

    Raises:
        KeyError: there is none of that name.
    """
    return {row.name: row for row in FORMATS}[name]


class OpenedModel(NamedTuple):
    """An exported file, opened.

    Attributes:
        path: the file.
        card: its model card.
        backend: the model.
    """

    path: Path
    card: ModelCard
    backend: Backend


def open_model(path: str | os.PathLike[str], threads: int | None = None) -> OpenedModel:
    """Open an exported model; its name tells the format.

    Args:
        path: the file.
        threads: that one operator of ONNX Runtime may use; None for one on each CPU.

    Raises:
        ExportError: not such a model, or not one of ours.
    """
    path = Path(path)
    backend, text = format_of(path).files.open(path, threads)
    return OpenedModel(path, _parse_card(path, text), backend)


def load_backend(path: str | os.PathLike[str], threads: int | None = None) -> Backend:
    """Open an exported model for its results alone; as ``open_model`` does it."""
    return open_model(path, threads).backend


def read_card(path: str | os.PathLike[str]) -> ModelCard:
    """Read the card of an exported model.

    Raises:
        ExportError: not such a model, or not one of ours.
    """
    path = Path(path)
    return _parse_card(path, format_of(path).files.card_text(path))


def _parse_card(path: Path, text: str) -> ModelCard:
    if not text:
        raise ExportError(f"{path} carries no {CARD_KEY}: it was not written by asr-export")
    try:
        return ModelCard.from_json(text)
    except ModelFileError as error:
        raise ExportError(f"{path}: {error}") from None
