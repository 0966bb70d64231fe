"""A neural network in a language model file: what it says, alone and beside n-grams."""

import numpy as np
import pytest
import word_networks

from asr_runtime import LanguageModelError
from asr_runtime.decoding.beam_config import BeamConfig
from asr_runtime.decoding.word_histories import WordHistories, WordMixture
from asr_runtime.language.language_model_file import read_language_model
from asr_runtime.language.word_network import OTHER_ROW

LETTERS = [*"abcdefghijklm"]
KNOWN = [*range(2, 12)]  # word ids of rows 2 to 11; the last words have none


@pytest.fixture
def model(make_language_model):
    return make_language_model(LETTERS, network=word_networks.network(KNOWN))


def said_by(network, sentence):
    """Log-probabilities of a sentence's rows after the states that the network passes through."""
    inputs = network.inputs(np.array([0, *sentence]))
    states = np.zeros((len(sentence) + 1, network.hidden), np.float32)
    for word in range(len(sentence)):
        states[word + 1] = network.advance(inputs[word : word + 1], states[word : word + 1])[0]
    return network.log_probs(states[1:], np.arange(len(sentence)), np.array(sentence))


def test_the_network_says_what_its_equations_say(model):
    _, arrays = word_networks.network(KNOWN)
    for sentence in ([2], [1, 1, 0], [4, 5, 8, 9, 11, 10, 3], list(range(12))):
        expected = word_networks.expected(arrays, sentence)
        np.testing.assert_allclose(said_by(model.network, sentence), expected, rtol=2e-5, atol=1e-5)


def test_all_words_together_are_certain(model):
    rows = np.arange(12)
    states = np.random.default_rng(1).normal(size=(1, 8)).astype(np.float32)
    found = model.network.log_probs(states, np.zeros(12, np.int64), rows)
    assert np.exp(found).sum() == pytest.approx(1.0, abs=1e-5)


def test_many_states_at_once_are_each_for_itself(model):
    """Few are advanced by another product than many."""
    random = np.random.default_rng(3)
    states = random.normal(size=(9, 8)).astype(np.float32)
    inputs = random.normal(size=(9, 24)).astype(np.float32)
    one_by_one = [model.network.advance(inputs[i : i + 1], states[i : i + 1])[0] for i in range(9)]
    np.testing.assert_allclose(model.network.advance(inputs, states), one_by_one, atol=1e-6)


def test_words_without_a_row_are_others(model):
    assert model.network.row[2] == 2
    assert model.network.row[model.word_id("m")] == OTHER_ROW
    assert model.network.row[0] == OTHER_ROW


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("network_words", lambda a: a + np.int32(10)),
        ("network_words", lambda a: a[1:]),
        ("network_recurrent", lambda a: a[:-1]),
        ("network_table2", lambda a: a.astype(np.uint8)),
        ("network_bias1", lambda a: a * np.float32(np.nan)),
        ("network_out1_scale", lambda a: a[:1]),
        ("network_lift1", None),
    ],
)
def test_a_damaged_network_is_a_damaged_file(toy_language_models, tmp_path, name, damage):
    header, arrays = word_networks.network(KNOWN)
    toy = toy_language_models.PackedToyModel(LETTERS, LETTERS)
    path = tmp_path / "toy.lm"
    path.write_bytes(toy_language_models.file_bytes(toy, {**toy.arrays(), **arrays}, **header))
    assert read_language_model(path).network is not None
    changed = {**toy.arrays(), **arrays}
    if damage is None:
        del changed[name]
    else:
        changed[name] = damage(changed[name])
    path.write_bytes(toy_language_models.file_bytes(toy, changed, **header))
    with pytest.raises(LanguageModelError, match="damaged"):
        read_language_model(path)


@pytest.mark.parametrize(
    "changes",
    [
        {"version": 2},
        {"hidden": 0},
        {"hidden": "8"},
        {"edges": [0, 5, 9]},
        {"edges": [0, 9, 5, 12]},
        {"edges": [0, 1, 9, 12]},
        {"dims": [6, 4]},
    ],
)
def test_sizes_that_make_no_network(toy_language_models, tmp_path, changes):
    header, arrays = word_networks.network(KNOWN)
    toy = toy_language_models.PackedToyModel(LETTERS, LETTERS)
    path = tmp_path / "toy.lm"
    header = {"network": header["network"] | changes}
    path.write_bytes(toy_language_models.file_bytes(toy, {**toy.arrays(), **arrays}, **header))
    with pytest.raises(LanguageModelError, match="damaged"):
        read_language_model(path)


def ids(model, text):
    return [model.word_id(word) for word in text.split()]


@pytest.mark.parametrize("adaptation", [0, 0.25, 4])
def test_gains_are_those_of_the_mixture(model, adaptation):
    """Word by word, the words that the network does not know as probable as they were.

    The network's share falls with each word that it foretold worse than the n-grams, and recovers.
    """
    config = BeamConfig(language_model_weight=1.5, network_share=0.3, share_adaptation=adaptation)
    texts = ["a b c d", "a b c e", "a m c d e f", "", "k zebra a", "b b b b b b b"]
    gains = word_networks.gains(model, config, [ids(model, text) for text in texts])
    _, arrays = word_networks.network(KNOWN)
    for text, gain in zip(texts, gains, strict=True):
        rows = model.network.row[ids(model, text)].tolist()
        network = np.exp(word_networks.expected(arrays, rows))
        ngrams = np.exp(model.log_probs(text.split()).astype(np.float64))
        gains, changed = 0.0, 0.0
        for row, by_network, by_ngrams in zip(rows, network, ngrams, strict=True):
            if row <= OTHER_ROW:
                continue
            share = 1 / (1 + 0.7 / 0.3 * np.exp(-changed))
            gains += np.log(share * by_network + (1 - share) * by_ngrams) - np.log(by_ngrams)
            changed = 0.9 * changed + adaptation * (np.log(by_network) - np.log(by_ngrams))
            changed = np.clip(changed, -9, 0)
        assert gain == pytest.approx(1.5 * gains, abs=1e-4)


def test_texts_are_scored_as_if_each_were_alone(model):
    """However much of their beginnings they share."""
    texts = [
        ids(model, text) for text in ("a b c d e", "a b c d f", "a b", "b c d e", "a b c d e f g h")
    ]
    alone = [word_networks.gains(model, BeamConfig(), [text])[0] for text in texts]
    assert len(set(alone)) == len(alone)
    assert word_networks.gains(model, BeamConfig(), texts) == pytest.approx(alone, abs=1e-5)


def test_words_go_on_after_a_context(model):
    """As stable words of endless speech are followed by others."""
    mixture = WordMixture(model, model.network, BeamConfig())
    text = ids(model, "a b c d e f")
    whole = mixture.after(text)
    parts = mixture.after(text[4:], mixture.after(text[:4]))
    assert parts.ngrams == whole.ngrams
    np.testing.assert_allclose(parts.network, whole.network, atol=1e-6)
    histories = WordHistories(mixture, mixture.after(text[:3]))
    following = 0
    for word in text[3:]:
        (following,) = histories.extend([(following, word)])
        histories.advance([following])
    first, all_of_it = word_networks.gains(model, BeamConfig(), [text[:3], text])
    assert histories.gains[following] == pytest.approx(all_of_it - first, abs=1e-5)
