"""How probable a language model holds the words of a sentence to be, asked for all at once."""

import numpy as np
import pytest

from asr_runtime.language.language_model import FIRST_WORD, UNKNOWN, LanguageModel
from asr_runtime.language.language_model_file import read_language_model

WORDS = ["cat", "hat", "mat", "on", "sat", "the"]
SENTENCES = ["the cat sat on the mat", "the hat sat", "on the mat", "cat on the hat"] * 3
SENTENCE = "on the mat sat zoo the cat on the hat sat on the mat"


@pytest.fixture(params=["ToyModel-2", "ToyModel-3", "PackedToyModel-2", "PackedToyModel-3"])
def model(request, toy_language_models, tmp_path) -> LanguageModel:
    """Of files of format 1 and of format 2, of bigrams and of trigrams."""
    kind, order = request.param.split("-")
    toy = getattr(toy_language_models, kind)(WORDS, SENTENCES, int(order))
    (tmp_path / "a.lm").write_bytes(toy_language_models.file_bytes(toy))
    return read_language_model(tmp_path / "a.lm")


def test_words_have_the_ids_of_their_places(model):
    assert [model.word_id(word) for word in WORDS] == list(range(FIRST_WORD, FIRST_WORD + 6))
    assert all(map(model.knows, WORDS))
    for word in ("", "a", "ca", "cats", "them", "zoo", "on\nsat"):
        assert model.word_id(word) == UNKNOWN
        assert not model.knows(word)


@pytest.mark.parametrize("length", range(15))
def test_all_at_once_is_one_after_another(model, length):
    words = SENTENCE.split()[:length]
    state, expected = np.array([model.start], np.int32), []
    for word in words:
        score, state = model.score(state, np.array([model.word_id(word)], np.int32))
        expected.append(float(score[0]))
    assert model.log_probs(words).tolist() == expected
