"""Writes the folder of a page: the built page, a model, a language model and ONNX Runtime."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path

from asr_export.errors import ExportError
from asr_export.web.headers import HEADERS
from asr_export.web.onnxruntime_files import PAGE, OnnxRuntimeFiles
from asr_runtime.language.language_model_file import read_language_model
from asr_runtime.language.phonemes import PHONEMES
from asr_runtime.model_file.model_bytes import read_model_bytes
from asr_runtime.model_file.model_card import ModelCard

SERVICE_WORKER = "service_worker.js"
FILE_LIST = "files.json"
SHELL = ("app.js", "worker.js", "recorder_worklet.js", "style.css", "icon.svg")
"""What the service worker keeps at once; the rest is kept when it is first loaded."""

_NOT_FOR_THE_PAGE = {"onnxruntime-web.json", "recognizer.js"}
_LETTERS_ONLY = "the model spells letters and the page searches by phonemes alone"


@dataclass(frozen=True)
class WordsWrong:
    """Share of words, 0 to 1, that are wrong on recordings the model never heard; None: unknown.

    Attributes:
        beam: With the page's language model.
        greedy: Letter by letter.
    """

    beam: float | None = None
    greedy: float | None = None


@dataclass(frozen=True)
class PageReport:
    """What was written.

    Attributes:
        bytes_ours: Of all files but ONNX Runtime's.
        bytes_onnxruntime: Of ONNX Runtime's.
        warnings: A line for each thing that the page cannot do.
    """

    bytes_ours: int
    bytes_onnxruntime: int
    warnings: tuple[str, ...]


def write_page(
    out: Path,
    model: Path,
    card: ModelCard,
    language_model: Path | None,
    onnxruntime_web: Path | None = None,
    words_wrong: WordsWrong | None = None,
) -> PageReport:
    """Write the page's folder; a page that is there already is replaced.

    Args:
        out: The folder; it is made if need be.
        model: ONNX file that asr-export wrote, with this card.
        card: The model's.
        language_model: File for the beam search, None for letters by ear alone.
        onnxruntime_web: See `OnnxRuntimeFiles.read`.
        words_wrong: What the page says of its errors.

    Raises:
        ExportError: The folder is something else, or ONNX Runtime's files are not installed.
        LanguageModelError: The language model cannot be used.
        ModelFileError: The model cannot be used.
    """
    check_folder(out)
    contents = {
        path.name: path.read_bytes()
        for path in sorted(PAGE.iterdir())
        if path.name not in _NOT_FOR_THE_PAGE
    }
    # Checked as the runtime does, so that a damaged one is found now and not in a browser.
    contents[model.name] = read_model_bytes(model)
    warnings = []
    if card.streaming is None:
        warnings.append("the model was not exported for streams, so the page cannot record")
    if language_model is not None and card.phonemes != PHONEMES:
        warnings.append(f"{_LETTERS_ONLY}, so it decodes by ear and gets no language model")
        language_model = None
    if language_model is not None:
        if read_language_model(language_model).pronunciations() is None:
            raise ExportError(
                f"{language_model} does not say how its words are spoken; build it with "
                "asr-train language-model --lexicon"
            )
        contents[language_model.name] = language_model.read_bytes()
    runtime = OnnxRuntimeFiles.expected().read(onnxruntime_web)
    contents |= runtime
    words_name = None if language_model is None else language_model.name
    rates = words_wrong or WordsWrong()
    contents |= _lists(contents, model.name, words_name, rates)

    out.mkdir(parents=True, exist_ok=True)
    for old in out.iterdir():
        # Of a page that was here before, with another model.
        if old.name not in contents and old.suffix in {".onnx", ".lm"}:
            old.unlink()
    for name, content in contents.items():
        draft = out / f"{name}.partial"
        draft.write_bytes(content)
        os.replace(draft, out / name)
    heavy = sum(map(len, runtime.values()))
    return PageReport(sum(map(len, contents.values())) - heavy, heavy, tuple(warnings))


def check_folder(out: Path) -> None:
    """Refuse to write into a folder that holds something else.

    Raises:
        ExportError: It is a file, or a folder with other content than a page.
    """
    if out.is_file():
        raise ExportError(f"{out} is a file; name a folder for the page")
    if out.is_dir() and any(out.iterdir()) and not (out / FILE_LIST).is_file():
        raise ExportError(f"{out} holds other files; name a new or empty folder for the page")


def _lists(
    contents: dict[str, bytes], model: str, language_model: str | None, rates: WordsWrong
) -> dict[str, bytes]:
    """The files that tell of the others: the page's list, its service worker, servers' headers."""
    digest = hashlib.sha256(json.dumps([HEADERS, rates.__dict__, model, language_model]).encode())
    for name in sorted(contents):
        digest.update(name.encode() + hashlib.sha256(contents[name]).digest())
    version = digest.hexdigest()[:16]
    listed = {
        "version": version,
        "model": model,
        "languageModel": language_model,
        "bytes": {name: len(content) for name, content in sorted(contents.items())},
        "wordsWrong": {"beam": rates.beam, "greedy": rates.greedy},
    }
    page = {"version": version, "shell": ["./", FILE_LIST, *SHELL], "headers": HEADERS}
    script = f"self.PAGE = {json.dumps(page)};\n".encode() + contents[SERVICE_WORKER]
    # The form that Netlify and Cloudflare Pages read.
    headers = "/*\n" + "".join(f"  {name}: {value}\n" for name, value in HEADERS.items())
    return {
        FILE_LIST: f"{json.dumps(listed, indent=1)}\n".encode(),
        SERVICE_WORKER: script,
        "_headers": headers.encode(),
    }
