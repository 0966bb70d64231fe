"""``vocab.txt`` and ``config.json`` beside a model, in the form that onnx-asr loads.

With them onnx-asr's raw-waveform CTC type (``wav2vec2-ctc``) runs the exported file unmodified.
"""

from __future__ import annotations

import json
from pathlib import Path

from asr_export.errors import ExportError
from asr_train.model.config import ModelConfig
from asr_train.model.vocabulary import BLANK_SYMBOL, CHARACTERS


def onnx_asr_files(config: ModelConfig) -> dict[str, str]:
    """Make the contents of both files, by file name."""
    symbols = [character.replace(" ", "▁") for character in CHARACTERS] + [BLANK_SYMBOL]
    vocabulary = "".join(f"{symbol} {index}\n" for index, symbol in enumerate(symbols))
    settings = {"model_type": "wav2vec2-ctc", "subsampling_factor": config.frame_stride}
    return {"vocab.txt": vocabulary, "config.json": json.dumps(settings) + "\n"}


def check_onnx_asr_files(model: Path, config: ModelConfig, *, replaces_own: bool) -> None:
    """Make sure that writing both files beside a model overwrites nothing of something else.

    Args:
        model: the model file that will be written.
        config: of the model.
        replaces_own: whether an earlier export of ours is replaced. Its files are replaced too,
            unless another model in the folder may need them.

    Raises:
        ExportError: one of them is there with other contents, or cannot be read.
    """
    folder = model.parent
    others = [path for path in sorted(folder.glob("*.onnx")) if path.name != model.name]
    if replaces_own and not others and _is_of_ours(folder / "config.json"):
        return
    for name, text in onnx_asr_files(config).items():
        path = folder / name
        try:
            same = not path.exists() or path.read_text(encoding="utf-8") == text
        except (OSError, UnicodeDecodeError):
            same = False
        if not same:
            owner = f"another model, such as {others[0].name}," if others else "something else"
            raise ExportError(
                f"{path} belongs to {owner} and would be overwritten; "
                "export into a folder of its own"
            )


def _is_of_ours(path: Path) -> bool:
    """Whether a ``config.json`` holds what an export writes, of whatever model."""
    try:
        settings = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(settings, dict) and settings.keys() == {"model_type", "subsampling_factor"}
