"""What a punctuation model's file says about itself, and the names of its tensors."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from asr_runtime.errors import ModelFileError
from asr_runtime.readable_text.hashed_words import HashedWords

METADATA_KEY = "punctuation"
"""Of the metadata entry that holds the card."""

FORMAT_VERSION = 2

WORDS = "words"
"""Input: rows of the words in the model's table [1, words], int64."""

SIGNS = "signs"
"""Output: log-probabilities of `Sign` after each word [1, words, 4]."""

CASES = "cases"
"""Output: log-probabilities of `Case` of each word [1, words, 3]."""

MAX_CONTEXT = 1_000
"""More words than any model of ours looks ahead or back."""


@dataclass(frozen=True)
class PunctuationCard:
    """A punctuation model's card.

    Attributes:
        format_version: Of the file's layout.
        words_behind: Words before a word that decide about it.
        words_ahead: Words after a word that decide about it.
        words: As in `WordTable`.
        names: As in `WordTable`.
        rare: As in `WordTable`.
        none_penalty: Nats that no sign is less probable than the model says, because a sign that is
            missing is as bad as one that is wrong.
        lower_penalty: Nats that lower case is less probable than the model says, likewise.
        training: How it was made, and from what.
    """

    format_version: int
    words_behind: int
    words_ahead: int
    words: str
    names: str
    rare: HashedWords = field(default_factory=lambda: HashedWords.of(()))
    none_penalty: float = 0.0
    lower_penalty: float = 0.0
    training: Mapping[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON types."""
        return {
            "format_version": self.format_version,
            "words_behind": self.words_behind,
            "words_ahead": self.words_ahead,
            "words": self.words,
            "names": self.names,
            "rare": self.rare.to_text(),
            "none_penalty": self.none_penalty,
            "lower_penalty": self.lower_penalty,
            "training": dict(self.training),
        }

    @classmethod
    def from_json(cls, text: str) -> "PunctuationCard":
        """Read a card.

        Args:
            text: JSON of `to_dict`.

        Returns:
            The card.

        Raises:
            ModelFileError: It is no such JSON, or of a newer format; without a subject.
        """
        try:
            fields = json.loads(text)
            version = fields["format_version"]
            if version != FORMAT_VERSION:
                raise ModelFileError(
                    f"is a punctuation model of format {version!r}, and this version reads format "
                    f"{FORMAT_VERSION}; install a newer asr-runtime, or train the model again"
                )
            card = cls(
                version,
                int(fields["words_behind"]),
                int(fields["words_ahead"]),
                fields["words"],
                fields["names"],
                HashedWords.from_text(fields["rare"]),
                float(fields["none_penalty"]),
                float(fields.get("lower_penalty", 0.0)),
                dict(fields["training"]),
            )
            if not min(card.words_ahead, card.words_behind) >= 0:
                raise ValueError
            if not (abs(card.none_penalty) < 99 and abs(card.lower_penalty) < 99):
                raise ValueError
            if not (card.words + card.names).isascii():
                raise ValueError
            if max(card.words_ahead, card.words_behind) > MAX_CONTEXT:
                raise ValueError
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise ModelFileError(
                "is damaged (its punctuation card cannot be read); copy it again"
            ) from None
        return card
