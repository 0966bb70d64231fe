"""The settings of the beam search."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

from asr_runtime.errors import DecoderError


@dataclass(frozen=True)
class BeamConfig:
    """Settings of the beam search; scores are natural logarithms (nats).

    The defaults are tuned on the development set of the default model, so an error rate measured
    there is a little too good. ``asr-train tune-decoder`` finds values for another model.

    Attributes:
        beam_size: Hypotheses kept after each frame.
        beam_threshold: Hypotheses that score this much less than the best one are dropped.
        word_end_threshold: The same for hypotheses in which a word ends; in a search by phonemes,
            where a word may end after every label.
        label_threshold: Probability below which a frame's label is not considered.
        steady_threshold: Share of the probability that a frame must have in common with the one
            before for no label to begin in it, if one could in the other; more than 1 for never. In
            a search by phonemes.
        letter_prior_weight: Factor of each letter's log-frequency in text, which is taken from the
            letter's score; see `label_priors`.
        blank_penalty: Taken from the blank's score, against the language model's liking for short
            texts.
        language_model_weight: Factor of a word's log-probability.
        word_bonus: Added for each word, against the language model's liking for few words.
        unknown_word_penalty: Taken for each word outside the vocabulary, besides what the language
            model gives an unknown word.
        unknown_letter_penalty: Taken for each letter of such a word.
        hotword_bonus: Added for each letter of a hotword, and for two more: a short one is not
            expected either. More finds more of them, and more often where something else was said.
        variant_penalty: Taken for a pronunciation of a word that is not its usual one.
        silence_threshold: A word is left out if blanks in the place of its letters would be so many
            nats more probable; see `spoken_labels`. By phonemes, it is all words that are spoken
            without a pause between them.
        network_share: The neural network's part of a word's probability when texts are compared
            once more, at the beginning of a sentence; 0 compares none.
        share_adaptation: How much that part falls where the n-grams foretold the words before
            better: by how many nats of its odds for each nat between the two. 0 keeps the part.
        rescored_texts: Beginnings of texts that go on at each word then, at most.
        rescored_threshold: Nats that a text may be below the best one, by the search, to be
            compared.

    Raises:
        DecoderError: A value is out of its range.
    """

    beam_size: int = 200
    beam_threshold: float = 14.0
    word_end_threshold: float = 9.0
    label_threshold: float = 3e-3
    steady_threshold: float = 0.9
    letter_prior_weight: float = 0.8
    blank_penalty: float = 1.4
    language_model_weight: float = 1.0
    word_bonus: float = 0.0
    unknown_word_penalty: float = 4.0
    unknown_letter_penalty: float = 4.0
    hotword_bonus: float = 0.4
    variant_penalty: float = 0.0
    silence_threshold: float = 1.0
    network_share: float = 0.8
    share_adaptation: float = 0.25
    rescored_texts: int = 5
    rescored_threshold: float = 4.0

    def __post_init__(self) -> None:
        """Check the values."""
        if not (isinstance(self.beam_size, int) and 1 <= self.beam_size <= 100_000):
            raise DecoderError(f"beam_size must be 1 to 100000, not {self.beam_size!r}")
        if not (isinstance(self.rescored_texts, int) and 1 <= self.rescored_texts <= 1000):
            raise DecoderError(f"rescored_texts must be 1 to 1000, not {self.rescored_texts!r}")
        if not 0 <= self.network_share < 1:
            raise DecoderError(
                f"network_share must be 0 or more and less than 1, not {self.network_share!r}"
            )
        if not 0 < self.label_threshold < 1:
            raise DecoderError(
                f"label_threshold must be a probability between 0 and 1, not "
                f"{self.label_threshold!r}"
            )
        for name in (
            "beam_threshold",
            "word_end_threshold",
            "steady_threshold",
            "letter_prior_weight",
            "language_model_weight",
            "unknown_word_penalty",
            "unknown_letter_penalty",
            "hotword_bonus",
            "variant_penalty",
            "silence_threshold",
            "share_adaptation",
            "rescored_threshold",
        ):
            if not 0 <= getattr(self, name) < math.inf:
                raise DecoderError(f"{name} must be 0 or more, not {getattr(self, name)!r}")
        for name in ("blank_penalty", "word_bonus"):
            if not math.isfinite(getattr(self, name)):
                raise DecoderError(f"{name} must be finite, not {getattr(self, name)!r}")


@dataclass(frozen=True)
class PhonemeBeamConfig(BeamConfig):
    """`BeamConfig` with the defaults of a search by phonemes.

    There ``letter_prior_weight`` has no meaning, and ``unknown_letter_penalty`` is taken for each
    phoneme, besides what `phonotactics` says of it.
    """

    beam_size: int = 300
    word_end_threshold: float = 8.0
    steady_threshold: float = 0.8
    letter_prior_weight: float = 0.0
    blank_penalty: float = 0.25
    language_model_weight: float = 1.0
    unknown_word_penalty: float = 2.0
    unknown_letter_penalty: float = 0.5
    hotword_bonus: float = 0.8
    variant_penalty: float = 1.0


def for_phonemes(config: BeamConfig | None) -> PhonemeBeamConfig:
    """Return settings of a search by phonemes.

    Args:
        config: Settings of a search by letters or by phonemes, or None for the defaults.

    Returns:
        Settings of a search by phonemes as they are. Of others, the values that differ from the
        defaults of `BeamConfig`; for the rest, the defaults of `PhonemeBeamConfig`.
    """
    if config is None or isinstance(config, PhonemeBeamConfig):
        return config or PhonemeBeamConfig()
    usual = BeamConfig()
    changed = {
        field.name: getattr(config, field.name)
        for field in fields(config)
        if getattr(config, field.name) != getattr(usual, field.name)
    }
    return PhonemeBeamConfig(**changed)
