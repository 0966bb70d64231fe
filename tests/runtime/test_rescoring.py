"""The texts that are chosen once more by a neural network beside the n-grams."""

import itertools
import math

import numpy as np
import pytest
import word_networks
from spelled_frames import SECONDS, run

from asr_runtime import EndpointConfig
from asr_runtime.decoding.beam_config import BeamConfig
from asr_runtime.decoding.beam_decoder import BeamDecoder
from asr_runtime.decoding.best_texts import ranked_paths
from asr_runtime.decoding.rescoring import Rescorer
from asr_runtime.decoding.traceback import BestPath, Traceback
from asr_runtime.decoding.word_graph import build_word_graph
from asr_runtime.decoding.word_histories import NO_WORD_ID
from asr_runtime.sentences.sentence_decoder import SentenceDecoder

LETTERS = [*"abcdefghijklm"]
KNOWN = [*range(2, 12)]  # word ids of rows 2 to 11; the last words have none


@pytest.fixture
def model(make_language_model):
    return make_language_model(LETTERS, network=word_networks.network(KNOWN))


HEARD = "K AE T _ S AE T _ _ AA N _ DH AH _ M AE T _ _ DH AH _ D AO G _ R AE N _"
ALSO = HEARD.replace("S AE T", "_ AE D")


def sound_decoder(make_language_model, speech, likes=None, **settings):
    """A decoder by sounds, whose network likes one word; None for no network."""
    words = sorted(speech.WORDS)
    network = ({}, {})
    if likes is not None:
        rows = [likes, *(word for word in words if word != likes)]
        numbers = [words.index(word) + 2 for word in rows]
        network = word_networks.network(numbers, edges=(0, 5, 9, len(words) + 2), likes=2)
    sentences = [*speech.SENTENCES, "the cat add on the mat"]
    # It foretells nothing else, and shall have its say nevertheless.
    settings = {"network_share": 0.8, "share_adaptation": 0.0, **settings}
    return speech.make_decoder(
        make_language_model, sentences=sentences, network=network, **settings
    )


@pytest.fixture
def unclear(phoneme_speech):
    return phoneme_speech.rows(phoneme_speech.mixed((0.6, HEARD), (0.4, ALSO)))


def test_the_network_decides_between_texts_that_sound_alike(
    make_language_model, phoneme_speech, unclear
):
    """Long after the search has joined them, because n-grams know but two words."""
    plain = sound_decoder(make_language_model, phoneme_speech)
    assert plain.decode(unclear, SECONDS).text == "cat sat on the mat the dog ran"
    liking = sound_decoder(make_language_model, phoneme_speech, "add")
    found = liking.decode(unclear, SECONDS, alternatives=3)
    assert found.text == liking.decode(unclear, SECONDS).text == "cat add on the mat the dog ran"
    assert found.alternatives[0] == (found.text, 0.0)
    assert "cat sat on the mat the dog ran" in dict(found.alternatives)
    scores = [score for _, score in found.alternatives]
    assert scores == sorted(scores, reverse=True)
    off = sound_decoder(make_language_model, phoneme_speech, "add", network_share=0)
    assert off.decode(unclear, SECONDS) == plain.decode(unclear, SECONDS)


def test_texts_that_are_not_compared_come_last(make_language_model, phoneme_speech, unclear):
    """However many are wanted."""
    decoder = sound_decoder(make_language_model, phoneme_speech, "add", rescored_threshold=0)
    for number in (1, 2, 3):
        found = decoder.decode(unclear, SECONDS, alternatives=number)
        assert found.text == "cat sat on the mat the dog ran"
        if number > 1:
            texts, scores = zip(*found.alternatives, strict=True)
            assert (texts[0], len(texts)) == (found.text, number)
            assert "cat add on the mat the dog ran" in texts
            assert scores[0] == 0
            assert list(scores) == sorted(scores, reverse=True)


@pytest.mark.parametrize("few", [{}, {"rescored_texts": 1}])
def test_hotwords_are_not_the_networks_business(make_language_model, phoneme_speech, unclear, few):
    """Someone said that the word would come."""
    decoder = sound_decoder(
        make_language_model, phoneme_speech, "add", hotwords=["sat"], hotword_bonus=2.0, **few
    )
    assert decoder.decode(unclear, SECONDS).text == "cat sat on the mat the dog ran"
    assert decoder.with_hotwords([]).decode(unclear, SECONDS).text.startswith("cat add")


WIDE = {"rescored_texts": 1000, "rescored_threshold": 1000.0}


@pytest.mark.parametrize("seed", range(4))
def test_the_best_of_all_texts_is_found(make_language_model, phoneme_speech, monkeypatch, seed):
    """A graph of so many has what a list of them has."""
    monkeypatch.setattr("asr_runtime.decoding.rescoring._LEAST", 1000.0)
    decoder = sound_decoder(make_language_model, phoneme_speech, "add", **WIDE)
    clear = phoneme_speech.random_speech(seed, phoneme_speech.SENTENCES)[:40]
    noise = np.random.default_rng(seed).normal(size=clear.shape)
    rows = (0.3 * clear + noise).astype(np.float32)
    rows -= np.log(np.exp(rows).sum(axis=1, keepdims=True))
    state = decoder.search.begin(notes=True)
    decoder.search.advance(state, decoder.heads.heard(rows))
    listed = {}
    for path in decoder.search.alternatives(state):
        listed.setdefault(tuple(decoder.word_ids(path.labels)), path.score)
    gains = word_networks.gains(decoder.language_model, decoder.config, list(listed))
    scores = {text: score + gain for (text, score), gain in zip(listed.items(), gains, strict=True)}
    best = max(scores, key=scores.get)
    found = next(ranked_paths(decoder, decoder.rescorer, state))
    assert len(listed) > 20
    assert tuple(decoder.word_ids(found.labels)) == best
    assert found.score == pytest.approx(scores[best], abs=1e-3)


def test_a_text_may_be_joined_to_a_longer_one_of_itself(model):
    """Then a node's parent is also what may take its place."""
    traceback = Traceback()
    traceback.add(np.array([0, 1]), np.array([4, 7]), 3)
    texts = np.array([0, 11, 12])
    ending = BestPath(*traceback.follow(2), -10.0, 2)
    graph = build_word_graph(traceback, texts, {12: [(1, 0.5)]}, [ending], 5.0)
    labels = traceback.labels[graph.prefixes].tolist()
    ids = [NO_WORD_ID if label < 0 else label for label in labels]
    found = list(Rescorer(model, model.network, BeamConfig()).best(graph, ids, [NO_WORD_ID]))
    assert sorted(said for _, said in found) == [(4,), (4, 7)]
    for path, said in found:
        assert tuple(path.labels.tolist()) == said


def test_letters_too(make_language_model):
    letters = ["'", " ", *"abcdefghijklmnopqrstuvwxyz", "<blk>"]
    words = ["cat", "mat", "on", "sat", "set", "the"]

    def frames(text):
        values = np.full((len(text), 29), 1e-4)
        values[np.arange(len(text)), [letters.index(c) if c != "_" else 28 for c in text]] = 1
        return values / values.sum(axis=1, keepdims=True)

    rows = np.log(0.6 * frames("the cat sat on the mat_") + 0.4 * frames("the cat set on the mat_"))
    numbers = [words.index(word) + 2 for word in ("set", "the", "cat", "mat", "on", "sat")]
    network = word_networks.network(numbers, edges=(0, 5, 7, 8), likes=2)
    sentences = ["the cat sat on the mat"] * 2 + ["the cat set on the mat"]
    for given, text in ((({}, {}), "sat"), (network, "set")):
        model = make_language_model(words, sentences, network=given)
        decoder = BeamDecoder(model, letters, 28, config=BeamConfig(share_adaptation=0))
        assert decoder.decode(rows, SECONDS).text == f"the cat {text} on the mat"
        endless = SentenceDecoder(decoder, letters, 28, SECONDS, NEVER)
        (sentence,) = run(endless, rows, [5])
        assert sentence.text == f"the cat {text} on the mat"


NEVER = EndpointConfig(math.inf, math.inf)
ENDPOINTS = [EndpointConfig(0.3, 30.0), EndpointConfig(math.inf, 5.0), NEVER]


@pytest.fixture
def endless(make_language_model, phoneme_speech):
    decoder = sound_decoder(
        make_language_model, phoneme_speech, "add", beam_size=20, label_threshold=0.01
    )

    def sentences(endpoint=None):
        return SentenceDecoder(decoder, phoneme_speech.ENGLISH, 28, SECONDS, endpoint)

    return sentences


@pytest.fixture
def speech(phoneme_speech):
    """Sentences, all a little unclear."""
    clear = phoneme_speech.random_speech(1, phoneme_speech.SENTENCES * 4)
    return np.logaddexp(clear + math.log(0.9), math.log(0.1 / 40)).astype(np.float32)


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_endless_speech_in_pieces(endless, speech, endpoint):
    """Pieces make no difference, stable words stay, and memory does not grow with the speech."""
    whole = run(endless(endpoint), speech)
    most = 0

    def check(decoder, sentences):
        nonlocal most
        partial = decoder.partial()
        assert partial.text.startswith(partial.stable)
        notes = decoder._search._state.recombinations
        most = max(most, sum(map(len, notes._prefixes)))

    for sizes in ([7], np.random.default_rng(2).integers(0, 90, 50).tolist()):
        assert run(endless(endpoint), speech, sizes, check) == whole
    twice = most
    most = 0
    run(endless(endpoint), np.concatenate([speech, speech]), [7], check)
    assert most < 1.5 * twice


def test_endless_speech_is_chosen_as_whole_recordings_are(endless, unclear, phoneme_speech):
    """Even after the words have become stable, in the middle of a sentence."""
    clear = phoneme_speech.rows(f"_ {HEARD} _ _ {HEARD} _ _")
    rows = np.concatenate([unclear, clear] * 6)
    said = " ".join(["cat add on the mat the dog ran", *["cat sat on the mat the dog ran"] * 2] * 6)
    stable = []

    def check(decoder, sentences):
        stable.append(decoder.partial().stable)

    (sentence,) = run(endless(NEVER), rows, [9], check)
    assert sentence.text == said
    assert any(60 < len(text) < len(said) for text in stable)
    for earlier, later in itertools.pairwise(stable):
        assert later.startswith(earlier) or not later
