"""Log-probabilities of phonemes, and a decoder of a few words that are spoken with them."""

import numpy as np

from asr_runtime.decoding.beam_config import PhonemeBeamConfig
from asr_runtime.decoding.phoneme_decoder import PhonemeDecoder
from asr_runtime.language.phonemes import BLANK, PHONEMES

ENGLISH = ["'", " ", *"abcdefghijklmnopqrstuvwxyz", "<blk>"]
LETTER_BLANK = 28
WORDS = {
    "the": ("DH AH", "DH IY"),
    "cat": ("K AE T",),
    "cats": ("K AE T S",),
    "sat": ("S AE T",),
    "on": ("AA N", "AO N"),
    "mat": ("M AE T",),
    "a": ("AH", "EY"),
    "bad": ("B AE D",),
    "day": ("D EY",),
    "add": ("AE D",),
    "their": ("DH EH R",),
    "there": ("DH EH R",),
    "is": ("IH Z",),
    "house": ("HH AW S",),
    "dog": ("D AO G",),
    "ran": ("R AE N",),
}
SENTENCES = [
    *(
        "the cat sat on the mat",
        "a bad day",
        "a dog ran",
        "the cats sat",
        "add a day",
        "the dog sat",
    ),
    *("there is a cat", "their house is on the mat", "there is a dog", "their cat ran"),
]


def label(name):
    return BLANK if name == "_" else PHONEMES.index(name)


def phoneme_frames(names, probability=0.9):
    """Log-probabilities [frames, 40] of a name a frame; "_" is a blank."""
    names = names.split()
    values = np.full((len(names), BLANK + 1), (1 - probability) / BLANK)
    values[np.arange(len(names)), [label(name) for name in names]] = probability
    return np.log(values)


def letter_frames(text, probability=0.9):
    """Log-probabilities [frames, 29] of a letter a frame; "_" is a blank."""
    values = np.full((len(text), 29), (1 - probability) / 28)
    for frame, letter in enumerate(text):
        values[frame, LETTER_BLANK if letter == "_" else ENGLISH.index(letter)] = probability
    return np.log(values)


def rows(phonemes, letters=None):
    """Both heads side by side; without letters, the letter head hears nothing."""
    if isinstance(phonemes, str):
        phonemes = phoneme_frames(phonemes)
    heard = letter_frames("_" * len(phonemes) if letters is None else letters)
    return np.concatenate((heard, phonemes), axis=1).astype(np.float32)


def mixed(*parts):
    """Log-probabilities of several spellings at once, each with its share."""
    return np.log(sum(share * np.exp(phoneme_frames(names, 0.97)) for share, names in parts))


def make_decoder(
    make_language_model, words=None, sentences=None, hotwords=(), network=({}, {}), **settings
):
    """A decoder of some words, WORDS and SENTENCES if left out."""
    words = WORDS if words is None else words
    model = make_language_model(
        list(words),
        SENTENCES if sentences is None else sentences,
        pronunciations=words,
        network=network,
    )
    config = PhonemeBeamConfig(**settings)
    spoken = model.pronunciations()
    return PhonemeDecoder(model, spoken, ENGLISH, LETTER_BLANK, hotwords, config)


def random_speech(seed, sentences, words=WORDS):
    """Rows of sentences, hesitantly spoken, with a pause after each."""
    generator = np.random.default_rng(seed)
    names, probabilities = [], []
    for sentence in sentences:
        sure = generator.choice([0.8, 0.9, 0.98])
        for word in sentence.split():
            for name in generator.choice(words[word]).split():
                spoken = [name] * generator.integers(1, 3) + ["_"] * generator.integers(1, 3)
                names += spoken
        names += ["_"] * generator.integers(3, 15)
        probabilities += [sure] * (len(names) - len(probabilities))
    values = phoneme_frames(" ".join(names), 0.9)
    for frame, sure in enumerate(probabilities):
        values[frame] = phoneme_frames(names[frame], sure)
    values = values + generator.normal(0, 0.5, values.shape)
    return rows(values - np.log(np.exp(values).sum(axis=1, keepdims=True)))
