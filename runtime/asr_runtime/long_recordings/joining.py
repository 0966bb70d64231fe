"""The sentences of a recording as one transcript, small enough for hours of speech."""

from array import array
from collections.abc import Iterable, Iterator, Sequence
from typing import overload

from asr_runtime.transcript import Token, Transcript

SPACE = " "


class TokenSequence(Sequence[Token]):
    """Tokens that are made when they are asked for: 30 bytes each instead of 150."""

    def __init__(self, tokens: Iterable[Token] = ()) -> None:
        self._texts: dict[str, int] = {}
        self._classes = array("H")
        self._numbers = array("d")  # start, end and confidence of each
        for token in tokens:
            self.append(token)

    def append(self, token: Token) -> None:
        """Add one at the end."""
        self._classes.append(self._texts.setdefault(token.text, len(self._texts)))
        self._numbers.extend((token.start, token.end, token.confidence))

    def __len__(self) -> int:
        return len(self._classes)

    @overload
    def __getitem__(self, index: int) -> Token: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[Token, ...]: ...

    def __getitem__(self, index: int | slice) -> Token | tuple[Token, ...]:
        if isinstance(index, slice):
            return tuple(self[place] for place in range(*index.indices(len(self))))
        place = range(len(self))[index]
        return self._token(tuple(self._texts), place)

    def __iter__(self) -> Iterator[Token]:
        texts = tuple(self._texts)
        for place in range(len(self)):
            yield self._token(texts, place)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, (tuple, TokenSequence)):
            return NotImplemented
        return len(self) == len(other) and all(
            one == two for one, two in zip(self, other, strict=True)
        )

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __repr__(self) -> str:
        return repr(tuple(self))

    def _token(self, texts: tuple[str, ...], place: int) -> Token:
        start, end, confidence = self._numbers[3 * place : 3 * place + 3]
        return Token(texts[self._classes[place]], start, end, confidence)


def space_between(end: float, sentence: Transcript) -> Token:
    """The space before a sentence, if the one before it ends at `end` seconds.

    It lasts from the last character to the next, and is certain: there was a pause, or the sentence
    was cut where a word ended.
    """
    return Token(SPACE, end, sentence.tokens[0].start, 1.0)


def join(sentences: Iterable[Transcript]) -> tuple[str, TokenSequence]:
    """Text and tokens of all sentences, each of which has some."""
    tokens = TokenSequence()
    texts = []
    for sentence in sentences:
        if tokens:
            tokens.append(space_between(tokens[-1].end, sentence))
        for token in sentence.tokens:
            tokens.append(token)
        texts.append(sentence.text)
    return SPACE.join(texts), tokens
