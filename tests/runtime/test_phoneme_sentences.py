"""Endless speech decoded by its sounds: pieces, stable words, forced cuts."""

import itertools
import math

import numpy as np
import pytest
from spelled_frames import SECONDS, run

from asr_runtime import EndpointConfig
from asr_runtime.sentences.sentence_decoder import SentenceDecoder

NEVER = EndpointConfig(math.inf, math.inf)


@pytest.fixture(scope="module")
def decoder(make_language_model, phoneme_speech):
    return phoneme_speech.make_decoder(make_language_model, beam_size=20, label_threshold=0.01)


@pytest.fixture
def make(decoder, phoneme_speech):
    def sentences(endpoint=None):
        return SentenceDecoder(decoder, phoneme_speech.ENGLISH, 28, SECONDS, endpoint)

    return sentences


@pytest.fixture
def speech(phoneme_speech):
    return phoneme_speech.random_speech(1, phoneme_speech.SENTENCES * 4)


ENDPOINTS = [EndpointConfig(0.3, 30.0), EndpointConfig(math.inf, 3.0), NEVER]


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_division_into_pieces_makes_no_difference(make, speech, endpoint):
    whole = run(make(endpoint), speech)
    assert len(whole) == 1 if endpoint is NEVER else len(whole) > 3
    for sizes in ([7], np.random.default_rng(2).integers(0, 90, 50).tolist()):
        assert run(make(endpoint), speech, sizes, lambda d, s: d.partial()) == whole


def test_without_an_end_it_is_the_decoder_of_whole_recordings(make, decoder, speech):
    (sentence,) = run(make(NEVER), speech, [13])
    whole = decoder.decode(speech, SECONDS)
    assert sentence.text == whole.text
    assert sentence.confidence == pytest.approx(whole.confidence, abs=0.01)
    starts = [[token.start for token in found.tokens] for found in (sentence, whole)]
    assert np.mean(np.abs(np.subtract(*starts)) > 1e-9) < 0.02


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_times_go_on_and_the_text_is_what_was_said(make, speech, phoneme_speech, endpoint):
    sentences = run(make(endpoint), speech, [11])
    said = " ".join(phoneme_speech.SENTENCES * 4)
    assert " ".join(sentence.text for sentence in sentences) == said
    tokens = [token for sentence in sentences for token in sentence.tokens]
    assert all(token.start <= token.end for token in tokens)
    assert all(one.end <= other.start + 1e-9 for one, other in itertools.pairwise(tokens))
    assert all(sentence.text == sentence.text.strip() for sentence in sentences)


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_stable_grows_and_begins_all_that_follows(make, speech, endpoint):
    stable = [""]
    lengths = []

    def check(decoder, sentences):
        for sentence in sentences:
            assert sentence.text.startswith(stable[0])
            stable[0] = ""
        partial = decoder.partial()
        assert partial.text.startswith(partial.stable)
        assert partial.stable.startswith(stable[0])
        stable[0] = partial.stable
        lengths.append(len(partial.stable))

    last = run(make(endpoint), speech, [5], check)[-1]
    assert last.text.startswith(stable[0])
    assert max(lengths) > 10


def test_words_show_when_they_have_been_said(make, phoneme_speech):
    decoder = make(NEVER)
    decoder.feed(phoneme_speech.rows("DH AH K AE T _ S AE"))
    assert decoder.partial().text == "the cat"
    decoder.feed(phoneme_speech.rows("T"))
    assert decoder.partial().text == "the cat sat"


def test_what_is_best_becomes_stable_after_a_while(make, phoneme_speech):
    decoder = make(NEVER)
    either = phoneme_speech.mixed((0.51, "AH K AE T"), (0.49, "AH M AE T"))
    decoder.feed(phoneme_speech.rows(either))
    decoder.feed(phoneme_speech.rows("_ " * 20))
    assert decoder.partial().stable in ("", "a")
    decoder.feed(phoneme_speech.rows("_ " * 120))
    assert decoder.partial().stable == "a cat"
    # The hypotheses that differ are gone.
    decoder.feed(phoneme_speech.rows("R AE N " + "_ " * 30))
    assert decoder.partial().text == "a cat ran"


def test_memory_does_not_grow(make, phoneme_speech):
    decoder = make(NEVER)
    sizes = []
    for seed in range(6):
        decoder.feed(phoneme_speech.random_speech(seed, phoneme_speech.SENTENCES))
        sizes.append((len(decoder._search._rows), len(decoder._search._state.traceback)))
    assert max(rows for rows, _ in sizes) < 150
    assert max(prefixes for _, prefixes in sizes) < 3000
    assert sizes[-1][1] < 1000 + 2 * sizes[1][1]


def test_rows_of_another_width(make):
    with pytest.raises(ValueError, match="69"):
        make().feed(np.zeros((3, 29)))


def test_a_sentence_that_ends_in_a_dead_end(make_language_model, phoneme_speech):
    decoder = phoneme_speech.make_decoder(make_language_model, unknown_word_penalty=60.0)
    names = "AE D _ HH AW AH" + " _" * 20
    speech = phoneme_speech.rows(phoneme_speech.phoneme_frames(names, 0.9995))
    endpoint = EndpointConfig(0.3, 30.0)
    sentences = SentenceDecoder(decoder, phoneme_speech.ENGLISH, 28, SECONDS, endpoint)
    assert [sentence.text for sentence in run(sentences, speech, [2])] == ["add a"]
