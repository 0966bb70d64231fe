"""The hotwords in a prompt, by which OpenAI's clients tell names and terms.

A prompt is a list (``Panayotov, New York, Kubernetes``) or prose, such as the text before. Of a
list every entry is a hotword; of prose the names and the words that the language model lacks are.
What the model cannot write is left out, because a prompt is written for any model.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection

_LONGEST_ENTRY = 4
"""Words of a list's entry; what is longer is prose."""
_WORD = re.compile(r"[^\W_]+(?:['\u2019][^\W_]+)*")
_SENTENCE = re.compile(r"[.!?\u2026]+[\"'\u201d\u2019)]*\s+")
_FIRST_PERSON = {"i", "i'm", "i'd", "i'll", "i've"}


def prompt_hotwords(
    prompt: str, letters: Collection[str], knows: Callable[[str], bool]
) -> list[str]:
    """Return the hotwords of a prompt.

    Args:
        prompt: As the client sent it.
        letters: What the model writes words with, in small letters.
        knows: Tells whether the language model has a word in small letters.

    Returns:
        Words and phrases in the order of the prompt.
    """
    sentences = [part for part in _SENTENCE.split(prompt.strip()) if part.strip()]
    # A full stop after the last entry does not make a sentence of a list.
    entries = re.split(r"[,;|\n]", sentences[0]) if len(sentences) == 1 else []
    # Names: Panayotov, …
    entries = [entry.rpartition(":")[2] for entry in entries]
    phrases = [_WORD.findall(entry) for entry in entries]
    if not entries or max(map(len, phrases)) > _LONGEST_ENTRY:
        phrases = [phrase for part in sentences for phrase in _names(part, knows)]
    found = (_written(phrase, letters) for phrase in phrases)
    return list(dict.fromkeys(filter(None, found)))


def _names(sentence: str, knows: Callable[[str], bool]) -> list[list[str]]:
    """Return runs of words with capitals, and words that are unknown."""
    phrases: list[list[str]] = []
    end = -1
    for place, match in enumerate(_WORD.finditer(sentence)):
        word = match.group()
        small = _plain(word).lower()
        if small in _FIRST_PERSON:
            continue
        capital = word[0].isupper()
        # Every sentence begins with a capital; initials have a second one.
        name = capital and (place > 0 or word[1:].isupper())
        if name or not knows(small):
            joined = capital and bool(phrases) and sentence[end : match.start()] in (" ", "-")
            if joined and phrases[-1][-1][0].isupper() and len(phrases[-1]) < _LONGEST_ENTRY:
                phrases[-1].append(word)
            else:
                phrases.append([word])
            end = match.end()
    return phrases


def _written(words: list[str], letters: Collection[str]) -> str:
    """Return a phrase as a hotword, or nothing if the model cannot write it."""
    phrase = " ".join(map(_plain, words))
    return phrase if set(phrase.lower()) <= {*letters, " "} else ""


def _plain(word: str) -> str:
    """Return a word without the marks on its letters."""
    spread = unicodedata.normalize("NFKD", word.replace("\u2019", "'"))
    return "".join(letter for letter in spread if not unicodedata.combining(letter))
