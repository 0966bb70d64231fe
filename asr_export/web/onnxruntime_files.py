"""ONNX Runtime's WebAssembly, which a page needs beside it and which comes from npm.

It is 14 MB that few need, so it is not part of this package: whoever makes a page installs it once
with npm, and the page's folder gets a copy. Nothing is loaded from elsewhere at run time. The files
must be those that the page's script was built with, because the two halves call each other.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from asr_export.errors import ExportError

PAGE = Path(__file__).parent / "page"
"""The built page; ``runtime/web/build.mjs`` writes it."""


@dataclass(frozen=True)
class OnnxRuntimeFiles:
    """The files of ONNX Runtime that the page was built for.

    Attributes:
        version: Of the npm package onnxruntime-web.
        sha256: Checksum of each file, by name.
    """

    version: str
    sha256: dict[str, str]

    @classmethod
    def expected(cls) -> OnnxRuntimeFiles:
        """What the built page says that it needs."""
        values = json.loads((PAGE / "onnxruntime-web.json").read_text(encoding="utf-8"))
        return cls(values["version"], values["sha256"])

    def read(self, folder: Path | None) -> dict[str, bytes]:
        """The files' contents by name.

        Args:
            folder: Where onnxruntime-web is installed, its ``node_modules`` or a folder that has
                one; None looks in the current folder, those above it, and the checkout.

        Raises:
            ExportError: There are none, or they are of another version.
        """
        begin = self._dist(folder)
        contents = {}
        for name, checksum in self.sha256.items():
            try:
                content = (begin / name).read_bytes()
            except OSError:
                raise self._unusable(f"{begin} has no {name}") from None
            if hashlib.sha256(content).hexdigest() != checksum:
                raise self._unusable(f"{begin / name} is of another version")
            contents[name] = content
        return contents

    def _dist(self, folder: Path | None) -> Path:
        if folder is not None:
            starts = [folder, folder.parent] if folder.name == "node_modules" else [folder]
        else:
            here = Path.cwd()
            starts = [here, *here.parents, Path(__file__).parents[2] / "runtime" / "web"]
        inner = Path("onnxruntime-web") / "dist"
        for start in starts:
            for place in (start / "node_modules" / inner, start / "dist", start):
                if (place / next(iter(self.sha256))).is_file():
                    return place
        where = "here" if folder is None else f"in {folder}"
        raise self._unusable(f"ONNX Runtime for browsers is not installed {where}")

    def _unusable(self, problem: str) -> ExportError:
        return ExportError(f"{problem}; run: npm install onnxruntime-web@{self.version}")
