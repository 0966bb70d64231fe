"""What a format's module has to offer: writing a checkpoint to a file, and opening such a file."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path

from asr_export.loading.backends import Backend
from asr_export.source.quantized_checkpoint import QuantizedCheckpoint


class ModelFormat(ABC):
    """One format. ``asr_export.exporting`` verifies what it writes and puts it in its place."""

    def check_destination(self, source: QuantizedCheckpoint, path: Path) -> None:
        """Look before minutes of work whether companions of the file may be written.

        Raises:
            ExportError: they may not.
        """
        del source, path

    @abstractmethod
    def write(self, source: QuantizedCheckpoint, path: Path) -> None:
        """Write the model, its card in it.

        Args:
            source: what to write: ``rounded`` or another of its networks, and ``card``.
            path: a draft's, in a folder of its own, with the suffix of the final file.

        Raises:
            ExportError: the model cannot be written in this format.
        """

    def companions(
        self, source: QuantizedCheckpoint, draft: Path, path: Path
    ) -> Mapping[Path, str]:
        """Texts of the files that belong beside the model, by their paths.

        Args:
            source: what was written.
            draft: the model's file, which has passed the comparison with the checkpoint.
            path: where the model will be.
        """
        del source, draft, path
        return {}

    @abstractmethod
    def open(self, path: Path, threads: int | None = None) -> tuple[Backend, str]:
        """Open a file, without executing anything that it brings along.

        Args:
            path: the file.
            threads: for one operator, where the engine has its own; None for one on each CPU.

        Returns:
            The model, and the JSON of its card; empty when it has none.

        Raises:
            ExportError: it is not a file of this format.
        """

    def card_text(self, path: Path) -> str:
        """The JSON of a file's card, read without opening the model where that is possible.

        Raises:
            ExportError: it is not a file of this format.
        """
        return self.open(path)[1]
