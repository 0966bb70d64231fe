"""Which beam search a model and a language model allow: by phonemes, or else by letters."""

from collections.abc import Sequence

from asr_runtime.decoding.beam_config import BeamConfig, for_phonemes
from asr_runtime.decoding.beam_decoder import BeamDecoder
from asr_runtime.decoding.decoder import AnyDecoder
from asr_runtime.decoding.phoneme_decoder import PhonemeDecoder
from asr_runtime.errors import LanguageModelError
from asr_runtime.language.language_model import LanguageModel
from asr_runtime.language.phonemes import PHONEMES
from asr_runtime.model_file.model_card import ModelCard


def choose_decoder(
    model: LanguageModel,
    card: ModelCard,
    hotwords: Sequence[str] = (),
    config: BeamConfig | None = None,
) -> AnyDecoder:
    """The beam search for an acoustic model with this card.

    It goes by phonemes if the acoustic model has a second head, of the phonemes that this package
    knows, and the language model has pronunciations. `for_phonemes` says what becomes of `config`.

    Raises LanguageModelError if the two models do not fit, and DecoderError for hotwords that
    cannot be recognised.
    """
    try:
        spoken = model.pronunciations() if card.phonemes == PHONEMES else None
    except ValueError:
        raise LanguageModelError("is a damaged language model; copy it again") from None
    if spoken is None:
        return BeamDecoder(model, card.vocabulary, card.blank_id, hotwords, config)
    return PhonemeDecoder(
        model, spoken, card.vocabulary, card.blank_id, hotwords, for_phonemes(config)
    )
