"""Language model files: what they say, and what is wrong with those that say nothing."""

import itertools
import math

import numpy as np
import pytest

from asr_runtime import LanguageModelError
from asr_runtime.language.expanded_model import ExpandedModel
from asr_runtime.language.language_model import BOUNDARY
from asr_runtime.language.language_model_file import read_language_model

WORDS = ["cat", "hat", "mat", "on", "sat", "the"]
SENTENCES = ["the cat sat on the mat", "the hat sat", "on the mat", "cat on the hat"] * 3


@pytest.mark.parametrize("kind", ["ToyModel", "PackedToyModel"])
@pytest.mark.parametrize("order", [2, 3])
def test_probabilities_are_those_of_the_ngrams(toy_language_models, tmp_path, order, kind):
    """Of files of format 1 and of format 2."""
    toy = getattr(toy_language_models, kind)(WORDS, SENTENCES, order)
    (tmp_path / "a.lm").write_bytes(toy_language_models.file_bytes(toy))
    model = read_language_model(tmp_path / "a.lm")
    ids = range(toy.size)
    for words in itertools.product(ids, ids, ids):
        state = np.array([model.start], np.int32)
        spoken = [BOUNDARY]
        for word in words:
            score, state = model.score(state, np.array([word], np.int32))
            spoken.append(word)
            expected = math.log(toy.probability(tuple(spoken)))
            assert score[0] == pytest.approx(expected, abs=1e-5), spoken


def test_more_contexts_of_trigrams_than_a_block_of_format_1_holds():
    """All pairs of 300 words, and after each pair one word, with a value to know it by."""
    size, pairs = 300, 300 * 300
    pair = np.arange(pairs)
    follower = pair * 7 % size
    every = np.full(pairs // 8 + 1, 255, np.uint8)
    every[-1] = (1 << pairs % 8) - 1
    arrays = {
        "words": np.frombuffer("\n".join(f"{n:03}" for n in range(size - 2)).encode(), np.uint8),
        "heads1": np.packbits(np.ones(size, bool), bitorder="little"),
        "heads2": every,
        "word2": (pair % size).astype(np.uint16),
        "starts2": np.packbits(pair % size == 0, bitorder="little"),
        "word3": follower.astype(np.uint16),
        "starts3": every,
        "probability3": (pair % 251).astype(np.uint8),
        "probability_values3": -np.arange(251, dtype=np.float32),
    }
    for name, number in (("probability1", size), ("backoff1", size), ("probability2", pairs)):
        arrays[name] = np.zeros(number, np.uint8)
    arrays["backoff2"] = np.zeros(pairs, np.uint8)
    arrays |= {f"probability_values{n}": np.array([-400 * n], np.float32) for n in (1, 2)}
    arrays |= {f"backoff_values{n}": np.array([-5], np.float32) for n in (1, 2)}
    model = ExpandedModel({"order": 3}, arrays)

    states = (size + pair).astype(np.int32)
    scores, following = model.score(states, follower.astype(np.int32))
    np.testing.assert_array_equal(scores, -(pair % 251))
    np.testing.assert_array_equal(following, size + pair % size * size + follower)
    # What another block has under the same number is not there.
    scores, _ = model.score(states, np.roll(follower, 65536).astype(np.int32))
    np.testing.assert_array_equal(scores, -805)


def test_probabilities_sum_to_one_after_any_context(make_language_model):
    model = make_language_model(WORDS, SENTENCES)
    everything = np.arange(len(WORDS) + 2, dtype=np.int32)
    states = {model.start}
    for _ in range(3):
        for state in list(states):
            scores, following = model.score(np.full(len(everything), state, np.int32), everything)
            assert np.exp(scores).sum() == pytest.approx(1, abs=1e-5)
            states |= set(following.tolist())
    assert len(states) > len(everything)


def test_file_is_read_as_written(save_language_model, make_language_model):
    model = read_language_model(save_language_model(WORDS, SENTENCES))
    assert list(model.words) == WORDS
    assert model.order == 3
    expected = make_language_model(WORDS, SENTENCES)
    np.testing.assert_array_equal(model.unigrams, expected.unigrams)
    states = np.full(8, model.start, np.int32)
    for found, wanted in zip(
        model.score(states, np.arange(8, dtype=np.int32)),
        expected.score(states, np.arange(8, dtype=np.int32)),
        strict=True,
    ):
        np.testing.assert_array_equal(found, wanted)


def fails(path, problem):
    with pytest.raises(LanguageModelError, match=problem) as caught:
        read_language_model(path)
    assert caught.value.subject == str(path)
    assert "\n" not in str(caught.value)


def test_missing_empty_or_directory(tmp_path):
    fails(tmp_path / "none.lm", "there is no such language model file")
    fails(tmp_path, "is a directory")
    (tmp_path / "empty.lm").touch()
    fails(tmp_path / "empty.lm", "is empty")


@pytest.mark.parametrize("content", [b"ASR", b"\\data\\\nngram 1=3\n", bytes(5000)])
def test_foreign(tmp_path, content):
    (tmp_path / "a.lm").write_bytes(content)
    fails(tmp_path / "a.lm", "is not a language model")


def test_cut_off_anywhere(save_language_model):
    path = save_language_model(WORDS, SENTENCES)
    content = path.read_bytes()
    for length in [8, 10, 12, 40, 500, len(content) // 2, len(content) - 1]:
        path.write_bytes(content[:length])
        fails(path, "is cut off|is a damaged")
    path.write_bytes(content + b"\0")
    fails(path, "is cut off or damaged")


def test_one_changed_byte(save_language_model):
    path = save_language_model(WORDS, SENTENCES)
    content = bytearray(path.read_bytes())
    content[-5] ^= 1
    path.write_bytes(content)
    fails(path, "checksum is wrong")


class ContentOfFormat:
    """Files whose checksum is right and whose content is not."""

    kind = ""

    @pytest.fixture
    def toy(self, toy_language_models):
        return getattr(toy_language_models, self.kind)(WORDS, SENTENCES)

    @pytest.fixture
    def arrays(self, toy):
        return toy.arrays()

    @pytest.fixture
    def changed(self, toy_language_models, toy, tmp_path):
        """Write a model with another array in the place of one; returns the file's path."""

        def write(name, new):
            path = tmp_path / "changed.lm"
            content = toy_language_models.file_bytes(toy, toy.arrays() | {name: new})
            path.write_bytes(content)
            return path

        return write

    def test_unchanged_one_is_read(self, changed):
        words = np.frombuffer("\n".join(WORDS).encode(), np.uint8)
        assert list(read_language_model(changed("words", words)).words) == WORDS


class TestContentOfFormat1(ContentOfFormat):
    kind = "ToyModel"

    @pytest.mark.parametrize(
        "name", ["probability1", "probability2", "probability3", "backoff1", "backoff2"]
    )
    def test_codes_without_a_value(self, changed, arrays, name):
        codes = arrays[name].copy()
        codes[-1] = 255
        fails(changed(name, codes), "is a damaged language model")

    @pytest.mark.parametrize("name", ["word2", "word3"])
    def test_words_outside_of_the_vocabulary(self, changed, arrays, name):
        words = arrays[name].copy()
        words[0] = len(WORDS) + 2
        fails(changed(name, words), "is a damaged language model")

    @pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 5.0])
    @pytest.mark.parametrize("name", ["probability_values1", "probability_values3"])
    def test_values_that_are_no_logarithms(self, changed, arrays, name, value):
        values = arrays[name].copy()
        values[0] = value
        fails(changed(name, values), "is a damaged language model")

    @pytest.mark.parametrize(
        ("name", "new"),
        [
            ("words", np.frombuffer(b"b\na\nc\nd\ne\nf", np.uint8)),
            ("words", np.frombuffer(b"a\na\nc\nd\ne\nf", np.uint8)),
            ("words", np.frombuffer(b"\x07\nb\nc\nd\ne\nf", np.uint8)),
            ("words", np.frombuffer("ä\nb\nc\nd\ne\nf".encode(), np.uint8)),
            ("words", np.frombuffer(b"a\nb\nc\nd\ne\n" + b"f" * (3 << 20), np.uint8)),
            ("words", np.zeros(0, np.uint8)),
            ("heads1", np.zeros(1, np.uint8)),
            ("heads2", np.full(1, 255, np.uint8)),
            ("starts2", np.zeros(2, np.uint8)),
            ("starts3", np.full(2, 255, np.uint8)),
            ("word2", np.zeros(0, np.uint16)),
            ("word3", np.zeros(3, np.float32)),
            ("probability2", np.zeros(2, np.uint16)),
        ],
    )
    def test_arrays_that_do_not_fit_each_other(self, changed, name, new):
        fails(changed(name, new), "is a damaged language model")


class TestContentOfFormat2(ContentOfFormat):
    kind = "PackedToyModel"

    @pytest.mark.parametrize("name", ["probability1", "backoff1", "backoff2"])
    def test_codes_without_a_value(self, changed, arrays, name):
        codes = arrays[name].copy()
        codes[-1] = 255
        fails(changed(name, codes), "is a damaged language model")

    @pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 5.0])
    @pytest.mark.parametrize("name", ["probability_values1", "probability_values3"])
    def test_values_that_are_no_logarithms(self, changed, arrays, name, value):
        values = arrays[name].copy()
        values[0] = value
        fails(changed(name, values), "is a damaged language model")

    @pytest.mark.parametrize(
        ("name", "new"),
        [
            ("words", np.frombuffer(b"b\na\nc\nd\ne\nf", np.uint8)),
            ("words", np.frombuffer(b"a\nb\nc", np.uint8)),
            ("heads1", np.zeros(1, np.uint8)),
            ("heads1", np.zeros(2, np.uint8)),
            ("backoff1", np.zeros(3, np.uint8)),
            ("backoff2", np.zeros(3, np.uint8)),
            ("first2", np.zeros(2, np.uint16)),
            ("first3", np.zeros(1, np.uint8)),
            ("width2", np.full(1, 17, np.uint8)),
            ("width3", np.full(1, 4, np.uint8)),
            ("blocks2", np.zeros(4, np.uint32)),
            ("blocks3", np.zeros(22, np.float32)),
            ("probability", np.zeros(3, np.uint8)),
            ("probability_values2", np.zeros(15, np.float32)),
        ],
    )
    def test_arrays_that_do_not_fit_each_other(self, changed, name, new):
        fails(changed(name, new), "is a damaged language model")

    @pytest.mark.parametrize("name", ["blocks2", "blocks3"])
    def test_blocks_that_say_something_else_are_noticed_or_lead_nowhere(
        self, changed, arrays, name
    ):
        """Every bit: the file is refused, or it can be searched."""
        everything = np.arange(len(WORDS) + 2, dtype=np.int32)
        refused = 0
        for place in range(len(arrays[name])):
            for bit in range(0, 32, 5):
                blocks = arrays[name].copy()
                blocks[place] ^= np.uint32(1 << bit)
                path = changed(name, blocks)
                try:
                    model = read_language_model(path)
                except LanguageModelError:
                    refused += 1
                    continue
                states = {model.start}
                for state in list(range(len(WORDS) + 2)):
                    _, after = model.score(np.full(len(everything), state, np.int32), everything)
                    states |= set(after.tolist())
                for state in states:
                    scores, _ = model.score(np.full(len(everything), state, np.int32), everything)
                    assert np.isfinite(scores).all()
        assert refused > 0


def test_deeply_nested_header(save_language_model):
    nested: list = []
    for _ in range(900):
        nested = [nested]
    fails(save_language_model(WORDS, SENTENCES, note=nested), "is a damaged language model")


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"format_version": 4}, "format 4, order 3.*upgrade"),
        ({"order": 7}, "order 7.*upgrade"),
        ({"order": None}, "damaged"),
        ({"order": 2.5}, "damaged"),
        ({"arrays": {}}, "damaged"),
        ({"ngrams": {}}, "damaged"),
        ({"ngrams": {"2": -1, "3": 1}}, "damaged"),
        ({"ngrams": {"2": "all", "3": 1}}, "damaged"),
        ({"arrays": {"words": {"type": "object", "offset": 0, "length": 1}}}, "damaged"),
        ({"bytes": -1}, "cut off or damaged"),
        ({"sha256": None}, "checksum"),
    ],
)
def test_header_that_does_not_fit(save_language_model, changes, problem):
    fails(save_language_model(WORDS, SENTENCES, **changes), problem)
