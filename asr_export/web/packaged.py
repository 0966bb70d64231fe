"""The models that a page gets by default, and what was measured with them."""

from __future__ import annotations

from pathlib import Path

from asr_export.errors import ExportError
from asr_export.web.page_folder import WordsWrong
from asr_runtime.model_file.model_card import ModelCard
from asr_runtime.recognizer import DEFAULT_LANGUAGE_MODEL

SMALL_LANGUAGE_MODEL = "english-small.lm"
MEASURED_CHECKPOINT = "0b7ee570d23aa8c5467eb070503265aad98a439334ce122264a85088e9222691"
"""The weights that `BEAM_WORDS_WRONG` was measured with; see MODEL_CARD.md of asr-runtime."""
BEAM_WORDS_WRONG = {SMALL_LANGUAGE_MODEL: 0.106, DEFAULT_LANGUAGE_MODEL.name: 0.100}


def find_language_model(choice: str) -> Path | None:
    """The language model of a page.

    Args:
        choice: ``small`` (11 MB), ``large`` (29 MB, asr-runtime's own), ``none``, or a path.

    Raises:
        ExportError: There is no such file.
    """
    if choice == "none":
        return None
    if choice == "small":
        # In a wheel it lies beside this module, in a checkout where it is kept.
        for folder in (Path(__file__).parent, Path(__file__).parents[2] / "runtime"):
            path = folder / "language_models" / SMALL_LANGUAGE_MODEL
            if path.is_file():
                return path
        raise ExportError(f"this installation has no {SMALL_LANGUAGE_MODEL}; choose large")
    path = DEFAULT_LANGUAGE_MODEL if choice == "large" else Path(choice)
    if not path.is_file():
        raise ExportError(f"{path}: there is no such language model; give small, large or a file")
    return path


def known_words_wrong(card: ModelCard, language_model: Path | None) -> WordsWrong:
    """What is known of a model's errors: from its card, and measured with the packaged ones."""
    greedy = (card.word_error_rate or {}).get("dev_greedy")
    beam = None
    if card.checkpoint_sha256 == MEASURED_CHECKPOINT and language_model is not None:
        beam = BEAM_WORDS_WRONG.get(language_model.name)
    return WordsWrong(beam, greedy if isinstance(greedy, float) else None)
