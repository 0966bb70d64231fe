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


def check_onnx_asr_files(folder: Path, config: ModelConfig) -> None:
    """Make sure that writing both files into a folder overwrites nothing of something else.

    Raises:
        ExportError: one of them is there with other contents, or cannot be read.
    """
    for name, text in onnx_asr_files(config).items():
        path = folder / name
        try:
            same = not path.exists() or path.read_text(encoding="utf-8") == text
        except (OSError, UnicodeDecodeError):
            same = False
        if not same:
            raise ExportError(
                f"{path} belongs to something else and would be overwritten; "
                "export into a folder of its own"
            )
