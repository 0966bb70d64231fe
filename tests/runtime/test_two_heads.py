"""A model with a phoneme head from its file to text: whole recordings, streams, long ones."""

import json

import numpy as np
import pytest

from asr_runtime import ModelFileError, Recognizer
from asr_runtime.language.phonemes import PHONEMES

RATE = 16000


@pytest.fixture
def two_heads(streaming_card, save_model):
    card = {**streaming_card, "phonemes": PHONEMES}
    return save_model(card=card, streaming=True, phonemes=True)


@pytest.fixture
def spoken_model(phoneme_speech, save_language_model):
    words = phoneme_speech.WORDS
    return save_language_model(list(words), phoneme_speech.SENTENCES, words)


@pytest.fixture
def load(two_heads, spoken_model):
    def recognizer(model=two_heads, **options):
        options = {"language_model": spoken_model, **options}
        return Recognizer.load(model, device="cpu", threads=1, **options)

    return recognizer


@pytest.fixture
def said(speak_sounds, phoneme_speech):
    def samples(sentence):
        words = [phoneme_speech.WORDS[word][0] for word in sentence.split()]
        return speak_sounds(" ".join(words))

    return samples


def test_text_comes_from_the_sounds(load, said):
    recognizer = load()
    found = recognizer.transcribe(said("there is a cat"), RATE)
    assert found.text == "there is a cat"
    assert [word.text for word in found.words] == ["there", "is", "a", "cat"]
    assert found.words[0].start == pytest.approx(0.06, abs=0.04)
    assert found.words[-1].end == pytest.approx(found.duration - 0.06, abs=0.04)
    assert found.confidence > 0.9


def test_batches_give_the_same(load, said):
    sentences = ["there is a cat", "their house is on the mat", "a dog ran"]
    items = [(said(sentence), RATE) for sentence in sentences]
    assert [found.text for found in load().transcribe_batch(items)] == sentences


def test_log_probs_are_those_of_the_letters(load, said, two_heads):
    samples = [said("a cat")]
    letters = Recognizer.load(two_heads, device="cpu", decoder="greedy", threads=1)
    np.testing.assert_array_equal(load().log_probs(samples)[0], letters.log_probs(samples)[0])


def test_letters_where_there_are_no_pronunciations(load, speak, save_language_model):
    model = save_language_model(["there", "is"], ["there is"])
    assert load(language_model=model).transcribe(speak("there is"), RATE).text == "there is"


def test_letters_where_there_is_no_second_head(load, speak, model_file):
    assert load(model_file).transcribe(speak("there is"), RATE).text == "there is"


def test_letters_where_the_phonemes_are_others(load, speak, save_model, card):
    model = save_model(card={**card, "phonemes": [str(n) for n in range(39)]}, phonemes=True)
    assert load(model).transcribe(speak("there is"), RATE).text == "there is"


def test_streams(load, said):
    stream = load().stream(RATE)
    samples = np.concatenate((said("there is a cat"), np.zeros(2 * RATE), said("a dog ran")))
    results = []
    for begin in range(0, len(samples), 1000):
        results += stream.feed(samples[begin : begin + 1000])
    results += stream.finish()
    final = [result.text for result in results if result.is_final]
    assert final == ["there is a cat", "a dog ran"]
    early = {result.text for result in results if not result.is_final}
    assert any("there is a cat".startswith(text) for text in early - {"", "there is a cat"})


def test_long_recordings(load, said, phoneme_speech):
    sentences = phoneme_speech.SENTENCES * 5
    samples = np.concatenate([said(sentence) for sentence in sentences])
    assert len(samples) > 61 * RATE
    assert load().transcribe(samples, RATE).text == " ".join(sentences)


def test_hotwords_with_sounds(load, speak_sounds):
    recognizer = load(hotwords=["Kott=K AO T"])
    assert recognizer.transcribe(speak_sounds("DH AH K AO T"), RATE).text == "the kott"


def test_hotwords_of_one_call_and_of_one_stream(load, speak_sounds):
    plain = load()
    spoken = speak_sounds("DH AH K AO T")
    before = plain.transcribe(spoken, RATE).text
    hoping = plain.with_hotwords(["Kott=K AO T:2"])
    assert before != "the kott"
    assert hoping.transcribe(spoken, RATE).text == "the kott"
    stream = hoping.stream(RATE)
    results = [*stream.feed(spoken), *stream.finish()]
    assert results[-1].text == "the kott"
    assert plain.transcribe(spoken, RATE).text == before
    assert hoping.with_hotwords(None).transcribe(spoken, RATE).text == before


def test_other_hotwords_change_nothing_else(load, said):
    spoken = said("there is a cat")
    several = load(alternatives=3)
    again = several.with_hotwords(None)
    assert len(several.transcribe(spoken, RATE).alternatives) > 1
    assert again.transcribe(spoken, RATE) == several.transcribe(spoken, RATE)


def test_sounds_of_hotwords_do_not_matter_to_letters(load, speak, model_file):
    recognizer = load(model_file, hotwords=["Kott=K AO T"])
    assert recognizer.transcribe(speak("the kott"), RATE).text == "the kott"


@pytest.mark.parametrize(
    ("phonemes", "head", "problem"),
    [
        (PHONEMES, False, "no output 'phoneme_logprobs'"),
        (PHONEMES[1:], True, "40 output classes and phonemes and a blank of 39"),
        ("AA", True, "'phonemes' should be a list of strings"),
    ],
)
def test_heads_that_do_not_fit_the_card(save_model, card, phonemes, head, problem):
    path = save_model(card=json.dumps({**card, "phonemes": phonemes}), phonemes=head)
    with pytest.raises(ModelFileError, match=problem):
        Recognizer.load(path, device="cpu")
