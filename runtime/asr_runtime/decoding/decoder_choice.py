"""Which decoder two models allow: greedy, or a beam search by letters or by phonemes."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from asr_runtime.decoding.beam_config import BeamConfig, for_phonemes
from asr_runtime.decoding.beam_decoder import BeamDecoder
from asr_runtime.decoding.decoder import AnyDecoder
from asr_runtime.decoding.phoneme_decoder import PhonemeDecoder
from asr_runtime.errors import DecoderError, LanguageModelError
from asr_runtime.language.language_model import LanguageModel
from asr_runtime.language.language_model_file import DEFAULT_LANGUAGE_MODEL, read_language_model
from asr_runtime.language.phonemes import PHONEMES
from asr_runtime.model_file.model_card import ModelCard

DECODERS = ("greedy", "beam")
"""Names of the decoders."""


def check_decoder_name(decoder: str, needs_beam: bool) -> None:
    """Check the name of a decoder against what else was asked for.

    Args:
        decoder: The name.
        needs_beam: Whether there are a language model, hotwords, settings of the beam search or
            several texts to find.

    Raises:
        DecoderError: The decoder does not exist, or cannot do what was asked for.
    """
    if decoder not in DECODERS:
        raise DecoderError(f"there is no decoder {decoder!r}; choose greedy or beam")
    if decoder == "greedy" and needs_beam:
        raise DecoderError(
            "the greedy decoder takes no language model, hotwords or beam settings, and has no "
            "alternatives; choose the beam decoder"
        )


def load_decoder(
    language_model: str | os.PathLike[str] | None,
    card: ModelCard,
    hotwords: Sequence[str] = (),
    config: BeamConfig | None = None,
) -> AnyDecoder:
    """Read a language model and make the beam search of it.

    Args:
        language_model: The file; None for the one in this package.
        card: The acoustic model's card.
        hotwords: Words or phrases to prefer.
        config: Settings of the search.

    Returns:
        What `choose_decoder` returns.

    Raises:
        LanguageModelError: The file cannot be used, with the path as the error's subject.
        DecoderError: The hotwords cannot be recognised.
    """
    path = DEFAULT_LANGUAGE_MODEL if language_model is None else Path(language_model)
    if language_model is None and not path.exists():
        raise LanguageModelError(
            "this installation has no default language model; name a language model file, or "
            "install asr-runtime from a release",
            str(path),
        )
    try:
        return choose_decoder(read_language_model(path), card, hotwords, config)
    except LanguageModelError as error:
        error.subject = str(path)
        raise


def choose_decoder(
    model: LanguageModel,
    card: ModelCard,
    hotwords: Sequence[str] = (),
    config: BeamConfig | None = None,
) -> AnyDecoder:
    """Make the beam search for an acoustic model.

    It goes by phonemes if the acoustic model has a second head, of the phonemes that this package
    knows, and the language model has pronunciations; else by letters.

    Args:
        model: The language model.
        card: The acoustic model's card.
        hotwords: Words or phrases to prefer.
        config: Settings of the search; `for_phonemes` says what becomes of them.

    Returns:
        A `BeamDecoder` or a `PhonemeDecoder`.

    Raises:
        LanguageModelError: The two models do not fit each other.
        DecoderError: The hotwords cannot be recognised.
    """
    try:
        pronunciations = model.pronunciations() if card.phonemes == PHONEMES else None
    except ValueError:
        raise LanguageModelError("is a damaged language model; copy it again") from None
    if pronunciations is None:
        return BeamDecoder(model, card.vocabulary, card.blank_id, hotwords, config)
    return PhonemeDecoder(
        model, pronunciations, card.vocabulary, card.blank_id, hotwords, for_phonemes(config)
    )
