"""Prefix beam search: sums over alignments, words of a language model, words outside it."""

import itertools
import math

import numpy as np
import pytest

from asr_runtime import BeamConfig, LanguageModelError
from asr_runtime.decoding.beam_decoder import BeamDecoder
from asr_runtime.decoding.greedy import greedy_decode, greedy_text

VOCABULARY = ["a", "b", " ", "_"]
SPACE, BLANK = 2, 3
ENGLISH = ["'", " ", *"abcdefghijklmnopqrstuvwxyz", "<blk>"]
# As wide as it gets, and nothing but the sound.
EXACT = BeamConfig(
    beam_size=10_000,
    beam_threshold=1e4,
    label_threshold=1e-12,
    letter_prior_weight=0,
    blank_penalty=0,
    language_model_weight=0,
    word_bonus=0,
    unknown_word_penalty=0,
    unknown_letter_penalty=0,
    silence_threshold=1e9,
)


def collapse(path: tuple[int, ...]) -> str:
    labels = [VOCABULARY[label] for label, _ in itertools.groupby(path) if label != BLANK]
    return " ".join("".join(labels).split())


def brute_force(log_probs: np.ndarray) -> dict[str, float]:
    """Log-probability of each text, over all alignments."""
    found: dict[str, float] = {}
    for path in itertools.product(range(log_probs.shape[1]), repeat=len(log_probs)):
        score = float(log_probs[range(len(path)), path].sum())
        text = collapse(path)
        found[text] = float(np.logaddexp(found.get(text, -math.inf), score))
    return found


def random_log_probs(seed: int, frames: int, classes: int) -> np.ndarray:
    logits = 1.5 * np.random.default_rng(seed).standard_normal((frames, classes))
    return (logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))).astype(np.float64)


def spelled(text: str, vocabulary: list[str], probability: float = 0.9) -> np.ndarray:
    """Log-probabilities [frames, classes] of a text; "_" is a blank frame."""
    rest = (1 - probability) / (len(vocabulary) - 1)
    values = np.full((len(text), len(vocabulary)), rest)
    for frame, letter in enumerate(text):
        index = len(vocabulary) - 1 if letter == "_" else vocabulary.index(letter)
        values[frame, index] = probability
    return np.log(values)


def mix(*parts: tuple[float, str]) -> np.ndarray:
    """Log-probabilities of several spellings of equal length at once, each with its share."""
    return np.log(sum(share * np.exp(spelled(text, ENGLISH, 0.97)) for share, text in parts))


@pytest.mark.parametrize("seed", range(12))
def test_one_word_is_exactly_the_sum_over_its_alignments(make_language_model, seed):
    """Without spaces no two prefixes share a future, so the result must be exact."""
    values = random_log_probs(seed, 6, 4)
    values[:, SPACE] = -1e4
    decoder = BeamDecoder(make_language_model(["a", "ab"]), VOCABULARY, BLANK, config=EXACT)
    found = decoder.search.run(values)
    texts = brute_force(values)
    best = max(texts, key=texts.__getitem__)
    assert "".join(VOCABULARY[label] for label in found.labels) == best
    assert found.score == pytest.approx(texts[best], abs=1e-6)


@pytest.mark.parametrize("seed", range(20))
def test_best_text_of_several_words(make_language_model, seed):
    """With spaces, the worse of two beginnings that the language model cannot tell apart goes."""
    model = make_language_model(["a", "aa", "ab", "b", "ba", "bb"])
    values = random_log_probs(100 + seed, 6, 4)
    found = BeamDecoder(model, VOCABULARY, BLANK, config=EXACT).search.run(values)
    text = "".join(VOCABULARY[label] for label in found.labels)
    texts = brute_force(values)
    assert texts[text] - 0.1 <= found.score <= texts[text] + 1e-6
    assert texts[text] >= max(texts.values()) - 0.1


def same(one, other):
    return (
        np.array_equal(one.labels, other.labels)
        and np.array_equal(one.start_frames, other.start_frames)
        and one.score == other.score
    )


def noisy_search(make_language_model, frames):
    model = make_language_model(["the", "cat", "sat"], sentences=["the cat sat"] * 3)
    config = BeamConfig(beam_size=25, label_threshold=0.01)
    text = "the_cat sat ___" * (frames // 15)
    return BeamDecoder(model, ENGLISH, 28, config=config).search, np.log(
        0.8 * np.exp(spelled(text, ENGLISH)) + 0.2 * np.exp(random_log_probs(7, len(text), 29))
    )


@pytest.mark.parametrize("size", [1, 7, 50])
def test_frames_in_pieces_give_the_same(make_language_model, size):
    search, values = noisy_search(make_language_model, 150)
    state = search.begin()
    for begin in range(0, len(values), size):
        search.advance(state, values[begin : begin + size])
        # Neither looking at the best text nor at the end changes anything.
        search.best(state)
        search.finish(state)
    assert same(search.finish(state), search.run(values))
    assert state.frames == len(values)


def test_forgotten_prefixes_do_not_matter(make_language_model, monkeypatch):
    search, values = noisy_search(make_language_model, 600)
    whole = search.begin()
    search.advance(whole, values)
    monkeypatch.setattr("asr_runtime.decoding.traceback._FEW_PREFIXES", 100)
    small = search.begin()
    search.advance(small, values)
    assert same(search.finish(small), search.finish(whole))
    # The text itself, what its ends may be, and at most as much again.
    assert len(small.traceback) < 2000 < len(whole.traceback)


def test_forgotten_labels_leave_the_rest(make_language_model):
    search, values = noisy_search(make_language_model, 300)
    whole = search.run(values)
    state, forgotten = search.begin(), 0
    for begin in range(0, len(values), 10):
        search.advance(state, values[begin : begin + 10])
        labels, frames = state.spelled()
        shared = int((labels == labels[0]).all(axis=0).cumprod().sum())
        state.commit(shared)
        forgotten += shared
        rest, rest_frames = state.spelled()
        np.testing.assert_array_equal(rest, labels[:, shared:])
        np.testing.assert_array_equal(rest_frames[rest >= 0], frames[:, shared:][rest >= 0])
        assert len(state.traceback) < 2000
    found = search.finish(state)
    assert forgotten > 100
    np.testing.assert_array_equal(found.labels, whole.labels[forgotten:])
    np.testing.assert_array_equal(found.start_frames, whole.start_frames[forgotten:])
    assert found.score == whole.score


def test_language_model_prefers_the_real_word(make_language_model):
    model = make_language_model(["the", "cat", "sat"], sentences=["the cat sat"] * 20)
    heard = mix((0.55, "the kat sat"), (0.45, "the cat sat"))
    assert greedy_text(heard, ENGLISH, 28) == "the kat sat"
    assert decode(model, heard) == "the cat sat"


def decode(model, values, hotwords=(), **settings):
    config = BeamConfig(**settings)
    return BeamDecoder(model, ENGLISH, 28, hotwords, config).decode(values, 0.03).text


def test_context_decides_between_words_that_sound_alike(make_language_model):
    model = make_language_model(
        ["their", "there", "is", "it", "house"],
        sentences=["there it is", "their house", "there is", "it is their house"] * 20,
    )
    either = [(0.5, "there {}"), (0.5, "their {}")]
    for rest, text in [("is   ", "there is"), ("house", "their house")]:
        heard = mix(*((share, form.format(rest)) for share, form in either))
        assert decode(model, heard) == text


def test_words_outside_the_vocabulary_stay_possible(make_language_model):
    model = make_language_model(["the", "cat"], sentences=["the cat"] * 5)
    heard = spelled("the zyx_qj cat", ENGLISH, 0.999)
    assert decode(model, heard) == "the zyxqj cat"
    # At a price: what could be a word becomes one.
    unclear = mix((0.6, "the caq"), (0.4, "the cat"))
    assert decode(model, unclear) == "the cat"
    assert decode(model, unclear, unknown_word_penalty=0, unknown_letter_penalty=0,
                  language_model_weight=0, letter_prior_weight=0) == "the caq"  # fmt: skip


def test_doubled_letters_need_a_blank(make_language_model):
    model = make_language_model(["bel", "bell"], sentences=["bel", "bell"])
    assert decode(model, spelled("be_lll", ENGLISH)) == "bel"
    assert decode(model, spelled("bel_ll", ENGLISH)) == "bell"


@pytest.mark.parametrize("form", ["____", "  __  ", "", "_"])
def test_nothing_said_is_an_empty_text(make_language_model, form):
    model = make_language_model(["a", "i"], sentences=["a", "i"])
    values = spelled(form, ENGLISH, 0.95).reshape(-1, 29)
    decoding = BeamDecoder(model, ENGLISH, 28, config=BeamConfig(word_bonus=2.0)).decode(
        values, 0.03
    )
    assert (decoding.text, decoding.tokens) == ("", ())
    if form == "____":
        greedy = greedy_decode(values, ENGLISH, 28, 0.03)
        assert decoding.confidence == pytest.approx(greedy.confidence)


def test_a_word_that_silence_explains_better_is_left_out(make_language_model):
    model = make_language_model(["the", "cat"], sentences=["the cat"] * 9)
    said, faint = spelled("the_cat_", ENGLISH), spelled("________", ENGLISH, 0.6)
    for frame, letter in enumerate("the"):
        faint[frame, ENGLISH.index(letter)] = np.log(0.2)
    # The search finds the word in both; in the second each letter is a third of a blank.
    assert decode(model, said, word_bonus=9.0) == "the cat"
    assert decode(model, faint, word_bonus=9.0, silence_threshold=9.0) == "the"
    assert decode(model, faint, word_bonus=9.0) == ""


def test_spaces_are_single_and_inside(make_language_model):
    model = make_language_model(["a", "b"], sentences=["a b"] * 3)
    assert decode(model, spelled("  _a _ _  b_ _", ENGLISH)) == "a b"


@pytest.mark.parametrize(
    "values",
    [
        np.full((5, 29), -np.inf),
        np.full((5, 29), -1e30),
        np.zeros((5, 29)),
        np.where(np.arange(29) == 5, 0.0, -np.inf)[None].repeat(4, axis=0),
    ],
)
def test_odd_values_give_some_text(make_language_model, values):
    model = make_language_model(["a"], sentences=["a"])
    decoding = BeamDecoder(model, ENGLISH, 28).decode(values.astype(np.float32), 0.03)
    assert isinstance(decoding.text, str)
    assert 0 <= decoding.confidence <= 1


def test_narrow_beam_still_finds_the_clear_text(make_language_model):
    model = make_language_model(["the", "cat", "sat"], sentences=["the cat sat"] * 5)
    clear = spelled("the cat sat", ENGLISH, 0.99)
    assert decode(model, clear, beam_size=1) == "the cat sat"


def test_times_and_confidences_are_those_of_greedy_where_it_is_right(make_language_model):
    model = make_language_model(["hello", "you"], sentences=["hello you"] * 5)
    values = spelled("__hhe_ll_lloo__  _you__", ENGLISH, 0.97)
    beam = BeamDecoder(model, ENGLISH, 28).decode(values, 0.03)
    greedy = greedy_decode(values, ENGLISH, 28, 0.03)
    assert beam.text == greedy.text == "hello you"
    assert [(t.text, t.start, t.end) for t in beam.tokens] == [
        (t.text, t.start, t.end) for t in greedy.tokens
    ]
    assert beam.confidence == pytest.approx(greedy.confidence)


def test_a_letter_put_in_against_the_sound_has_low_confidence(make_language_model):
    model = make_language_model(["the", "cat", "sat"], sentences=["the cat sat"] * 20)
    values = mix((0.6, "the kat sat"), (0.4, "the cat sat"))
    tokens = BeamDecoder(model, ENGLISH, 28).decode(values, 0.03).tokens
    confidence = {index: token.confidence for index, token in enumerate(tokens)}
    assert "".join(token.text for token in tokens) == "the cat sat"
    assert confidence[4] == pytest.approx(0.4 * 0.97, abs=0.02)
    assert min(value for index, value in confidence.items() if index != 4) > 0.9


def test_classes_of_several_characters_and_other_orders(make_language_model):
    vocabulary = ["_", "c", "<unk>", "a", " ", "t"]
    model = make_language_model(["cat", "at"], sentences=["cat at"] * 3)
    values = np.full((6, 6), math.log(0.01))
    for frame, label in enumerate([1, 3, 5, 4, 3, 5]):
        values[frame, label] = math.log(0.95)
    assert BeamDecoder(model, vocabulary, 0).decode(values, 0.03).text == "cat at"


def test_model_that_does_not_fit(make_language_model):
    model = make_language_model(["cat"])
    with pytest.raises(LanguageModelError, match="a space among its classes"):
        BeamDecoder(model, ["c", "a", "t", "_"], 3)
    with pytest.raises(LanguageModelError, match="'t', which the model cannot write"):
        BeamDecoder(model, ["c", "a", " ", "_"], 3)


@pytest.mark.parametrize("shape", [(29,), (3, 28), (1, 3, 29)])
def test_wrong_shape(make_language_model, shape):
    with pytest.raises(ValueError, match="log_probs"):
        BeamDecoder(make_language_model(["a"]), ENGLISH, 28).decode(np.zeros(shape), 0.03)
