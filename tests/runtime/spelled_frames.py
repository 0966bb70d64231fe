"""Log-probabilities of texts, and what a decoder of sentences makes of them."""

import numpy as np

ENGLISH = ["'", " ", *"abcdefghijklmnopqrstuvwxyz", "<blk>"]
BLANK = 28
SECONDS = 0.03
WORDS = ["the", "cat", "sat", "on", "mat", "a", "dog", "ran", "off"]


def spelled(text, probability=0.98):
    """Log-probabilities [frames, classes] of a text; "_" is a blank frame."""
    values = np.full((len(text), 29), (1 - probability) / 28, np.float32)
    for frame, letter in enumerate(text):
        values[frame, BLANK if letter == "_" else ENGLISH.index(letter)] = probability
    return np.log(values)


def pause(seconds):
    return "_" * round(seconds / SECONDS)


def random_speech(seed, frames, pauses=True):
    """Letters and spaces, hesitantly spelled, with a pause now and then."""
    generator = np.random.default_rng(seed)
    parts, length = [], 0
    while length < frames:
        text = ""
        for word in generator.choice(WORDS, generator.integers(2, 9)):
            for letter in f"{word} ":
                text += letter + "_" * generator.integers(0, 3)
        if pauses:
            text += pause(generator.choice([0.2, 0.5, 1.0, 2.5]))
        parts.append(spelled(text, generator.choice([0.7, 0.9, 0.98])))
        length += len(text)
    values = np.concatenate(parts)[:frames]
    values = values + generator.normal(0, 0.7, values.shape)
    return (values - np.log(np.exp(values).sum(axis=1, keepdims=True))).astype(np.float32)


def run(decoder, values, sizes=(), check=lambda decoder, sentences: None):
    """Feed pieces of the sizes in turn, or all at once, and finish."""
    sentences, at = [], 0
    sizes = list(sizes) or [len(values)]
    while at < len(values):
        size = sizes.pop(0)
        sizes.append(size)
        found = decoder.feed(values[at : at + size])
        at += size
        sentences += found
        check(decoder, found)
    return sentences + decoder.finish(len(values) * SECONDS)


def texts(sentences):
    return [sentence.text for sentence in sentences]
