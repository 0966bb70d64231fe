"""Beam search by sounds: sums over paths, homophones, unknown words, times and confidences."""

import itertools
import math

import numpy as np
import pytest

from asr_runtime import BeamConfig, DecoderError, PhonemeBeamConfig
from asr_runtime.decoding.beam_config import for_phonemes
from asr_runtime.language.phonemes import BLANK, PHONEMES

# As wide as it gets, and nothing but the sound.
EXACT = {
    "beam_size": 10_000,
    "beam_threshold": 1e4,
    "label_threshold": 1e-12,
    "blank_penalty": 0,
    "language_model_weight": 0,
    "unknown_word_penalty": 1e5,
    "variant_penalty": 0,
    "silence_threshold": 1e9,
    "word_end_threshold": 1e4,
    "steady_threshold": 2.0,
}
SOUNDS = ("AH", "B")


@pytest.fixture
def make(make_language_model, phoneme_speech):
    def decoder(**arguments):
        return phoneme_speech.make_decoder(make_language_model, **arguments)

    return decoder


@pytest.fixture
def decode(make, phoneme_speech):
    """The text of some rows, or of phonemes by name."""

    def text(heard, **arguments):
        if isinstance(heard, str) or heard.shape[1] == BLANK + 1:
            heard = phoneme_speech.rows(heard)
        return make(**arguments).decode(heard, 0.03).text

    return text


def brute_force(values, words):
    """Log-probability of each text over all paths and all ways to divide them into words."""
    labels = [*(PHONEMES.index(name) for name in SOUNDS), BLANK]
    spoken = {
        tuple(PHONEMES.index(name) for name in variant.split()): []
        for variants in words.values()
        for variant in variants
    }
    for word, variants in words.items():
        for variant in variants:
            spoken[tuple(PHONEMES.index(name) for name in variant.split())].append(word)

    def texts(sounds):
        if not sounds:
            return [()]
        return [
            (word, *rest)
            for size in range(1, len(sounds) + 1)
            for word in spoken.get(sounds[:size], ())
            for rest in texts(sounds[size:])
        ]

    found = {}
    for path in itertools.product(labels, repeat=len(values)):
        sounds = tuple(label for label, _ in itertools.groupby(path) if label != BLANK)
        score = float(values[range(len(path)), path].sum())
        for text in texts(sounds):
            found[text] = float(np.logaddexp(found.get(text, -math.inf), score))
    return found


def random_values(seed, frames):
    logits = 1.5 * np.random.default_rng(seed).standard_normal((frames, BLANK + 1))
    others = [label for label in range(BLANK) if PHONEMES[label] not in SOUNDS]
    logits[:, others] = -1e4
    return logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))


@pytest.mark.parametrize("seed", range(20))
def test_best_text_is_the_sum_over_its_paths(make, seed):
    words = {"x": ("AH",), "y": ("AH B", "B B"), "z": ("B",)}
    values = random_values(seed, 6)
    sentences = [" ".join(triple) for triple in itertools.product("xyz", repeat=3)]
    decoder = make(words=words, sentences=sentences, **EXACT)
    found = decoder.search.run(values)
    tree = decoder.search._tree
    text = tuple("xyz"[tree.word[label]] for label in found.labels)
    texts = brute_force(values, words)
    # Of beginnings that the language model cannot tell apart, the worse ones go.
    assert texts[text] - 0.4 <= found.score <= texts[text] + 1e-6
    assert texts[text] >= max(texts.values()) - 0.4


@pytest.mark.parametrize("seed", range(12))
def test_few_words_are_exactly_the_sum_over_their_paths(make, seed):
    """The last phoneme of a word may last, and its word end in any frame: no path counts twice."""
    words = {"x": ("AH B", "B AH B"), "y": ("B AH",), "z": ("AH B",)}
    # The language model tells all pairs of words apart, and more there cannot be in 5 frames.
    sentences = [" ".join(triple) for triple in itertools.product("xyz", repeat=3)]
    values = random_values(50 + seed, 5)
    decoder = make(words=words, sentences=sentences, **EXACT)
    found = decoder.search.run(values)
    text = tuple("xyz"[decoder.search._tree.word[label]] for label in found.labels)
    texts = brute_force(values, words)
    assert found.score == pytest.approx(max(texts.values()), abs=1e-6)
    assert texts[text] == pytest.approx(found.score, abs=1e-6)


def test_words_and_sentences(decode):
    assert decode("DH AH K AE T S AE T _ AA N DH IY M AE T") == "the cat sat on the mat"


def test_a_repeated_phoneme_between_words_needs_a_blank(decode):
    assert decode("AH B AE D _ D EY") == "a bad day"
    # Without it there is one D, and one of the words cannot be.
    assert decode("AH B AE D D EY") != "a bad day"
    assert decode("AH B AE D D D") == "a bad"


def test_the_context_decides_between_homophones(decode):
    assert decode("DH EH R IH Z AH K AE T") == "there is a cat"
    assert decode("DH EH R HH AW S IH Z") == "their house is"


def test_language_model_prefers_the_real_word(decode, phoneme_speech):
    heard = phoneme_speech.mixed((0.55, "DH AH G AE T S AE T"), (0.45, "DH AH K AE T S AE T"))
    assert decode(heard) == "the cat sat"


def test_a_longer_word_and_two_short_ones(decode):
    assert decode("DH AH K AE T S _ S AE T") == "the cats sat"
    assert decode("DH AH K AE T _ S AE T") == "the cat sat"


def test_variants_and_their_penalty(decode, phoneme_speech):
    words = {"route": ("R UW T", "R AW T"), "rout": ("R AW T",)}
    arguments = {"words": words, "sentences": ["route", "rout"]}
    assert decode("R UW T", **arguments) == "route"
    both = decode("R AW T", **arguments, variant_penalty=2.0)
    assert both == "rout"


def test_unknown_words_are_spelled_by_the_letters(make, phoneme_speech):
    heard = phoneme_speech.rows(
        phoneme_speech.phoneme_frames("DH AH _ Z UW _ L _ UW _ S AE T", 0.9999),
        "the zo_olu sa",
    )
    decoding = make().decode(heard, 0.03)
    assert decoding.text == "the zoolu sat"
    start = {token.text: token.start for token in decoding.tokens if token.text in "zl"}
    assert start == pytest.approx({"z": 0.12, "l": 0.24})
    # At a price: what could be a word becomes one.
    dear = make(unknown_word_penalty=50.0).decode(heard, 0.03).text
    assert "zoolu" not in dear
    assert dear.startswith("the ")


def test_unknown_words_that_the_letter_head_did_not_hear_are_left_out(decode, phoneme_speech):
    values = phoneme_speech.phoneme_frames("DH AH _ Z UW _ L _ UW _ S AE T", 0.9999)
    assert decode(values) == "the sat"


@pytest.mark.parametrize("names", ["_ _ _ _", "", "_"])
def test_nothing_said_is_an_empty_text(make, phoneme_speech, names):
    heard = phoneme_speech.rows(phoneme_speech.phoneme_frames(names, 0.95).reshape(-1, 40))
    decoding = make(word_bonus=2.0).decode(heard, 0.03)
    assert (decoding.text, decoding.tokens) == ("", ())
    if len(heard):
        assert decoding.confidence == pytest.approx(0.95)


def test_a_word_that_silence_explains_better_is_left_out(decode, phoneme_speech):
    faint = phoneme_speech.phoneme_frames("_ _ _ _ _ _", 0.6)
    for frame, name in enumerate(["K", "AE", "T"]):
        faint[frame, PHONEMES.index(name)] = np.log(0.2)
    arguments = {"words": {"cat": ("K AE T",)}, "sentences": ["cat"], "word_bonus": 9.0}
    assert decode(faint, **arguments, silence_threshold=9.0) == "cat"
    assert decode(faint, **arguments) == ""


@pytest.mark.parametrize(("pause", "text"), [("", "the cat sat"), (" _" * 12, "the sat")])
def test_a_faint_word_between_others_was_spoken_too(decode, phoneme_speech, pause, text):
    """The search is told to prefer it; after a pause of 0.36 s silence explains it better."""
    heard = phoneme_speech.phoneme_frames(f"DH AH{pause} K AE T{pause} S AE T")
    begin = 2 + len(pause) // 2
    heard[begin : begin + 3] = phoneme_speech.phoneme_frames("_ _ _", 0.6)
    for frame, name in enumerate(["K", "AE", "T"], begin):
        heard[frame, PHONEMES.index(name)] = np.log(0.3)
    settings = {"word_bonus": 9.0, "beam_threshold": 60.0, "word_end_threshold": 60.0}
    settings["steady_threshold"] = 2.0
    words = {"the": ("DH AH",), "cat": ("K AE T",), "sat": ("S AE T",)}
    assert decode(heard, words=words, sentences=["the cat sat"], **settings) == text


@pytest.mark.parametrize("value", [-np.inf, -1e30, 0.0])
def test_odd_values_give_some_text(make, value):
    decoding = make().decode(np.full((5, 69), value, np.float32), 0.03)
    assert isinstance(decoding.text, str)
    assert 0 <= decoding.confidence <= 1


def test_narrow_beam_still_finds_the_clear_text(decode, phoneme_speech):
    clear = phoneme_speech.phoneme_frames("DH AH K AE T S AE T", 0.99)
    assert decode(clear, beam_size=5) == "the cat sat"


# Nothing but *house* begins so, and the sounds after it are not those of *house*.
MISHEARD = "DH AH HH AW M AE T S AE T"
KNOWN_WORDS_ALONE = {"unknown_word_penalty": 60.0}


def test_a_dead_end_does_not_lose_the_words_after_it(make, phoneme_speech):
    decoder = make(**KNOWN_WORDS_ALONE)
    heard = phoneme_speech.rows(phoneme_speech.phoneme_frames(MISHEARD, 0.9995))
    assert decoder.decode(heard, 0.03).text == "the mat sat"
    state = decoder.search.begin()
    values = decoder.heads.heard(heard)
    for frame, wide in enumerate([False] * 5 + [True]):
        decoder.search.advance(state, values[frame : frame + 1])
        assert state.wide == wide
    decoder.search.advance(state, values[6:])
    assert not state.wide


def test_a_dead_end_that_would_still_be_bearable_at_the_end(decode, phoneme_speech):
    heard = phoneme_speech.phoneme_frames("AE D HH AW AH", 0.9995)
    assert decode(heard, **KNOWN_WORDS_ALONE) == "add a"


def test_a_word_that_has_only_begun_is_no_dead_end(make, phoneme_speech):
    decoder = make(**KNOWN_WORDS_ALONE)
    heard = phoneme_speech.phoneme_frames("DH AH HH AW _ _ _ S", 0.9995)
    state = decoder.search.begin()
    for frame in heard:
        decoder.search.advance(state, frame[None])
        assert not state.wide
    assert decoder.search.run(heard).labels.shape == (2,)


def test_a_long_silence_is_no_dead_end(make, phoneme_speech):
    """Also where what to go back to is set anew in the middle of it."""
    search = make(**KNOWN_WORDS_ALONE).search
    state = search.begin()
    search.advance(state, phoneme_speech.phoneme_frames("DH AH" + " _" * 100, 1 - 1e-9))
    state.refuge = None
    for frame in phoneme_speech.phoneme_frames("_ _ HH AW S", 1 - 1e-9):
        search.advance(state, frame[None])
        assert not state.wide


@pytest.mark.parametrize("size", [1, 4])
def test_a_dead_end_in_pieces_gives_the_same(make, phoneme_speech, size):
    search = make(**KNOWN_WORDS_ALONE).search
    values = phoneme_speech.phoneme_frames(" ".join([MISHEARD, "_"] * 3), 0.9995)
    state = search.begin()
    for begin in range(0, len(values), size):
        search.advance(state, values[begin : begin + size])
    search.conclude(state)
    assert same(search.finish(state), search.run(values))


def test_times_and_confidences(make, phoneme_speech):
    heard = phoneme_speech.rows("_ DH DH AH _ K AE AE T _ _ S AE _ T _")
    decoding = make().decode(heard, 0.1)
    words = decoding.text.split()
    assert words == ["the", "cat", "sat"]
    letters = [token for token in decoding.tokens if token.text != " "]
    spans = [(letters[first].start, letters[first + 2].end) for first in (0, 3, 6)]
    assert spans == [pytest.approx(span) for span in [(0.1, 0.4), (0.5, 0.9), (1.1, 1.5)]]
    assert [token.start for token in letters[:3]] == pytest.approx([0.1, 0.2, 0.3])
    assert [token.confidence for token in letters] == pytest.approx([0.9] * 9)
    spaces = [(token.start, token.end) for token in decoding.tokens if token.text == " "]
    assert spaces == [pytest.approx((0.4, 0.5)), pytest.approx((0.9, 1.1))]


def test_a_sound_put_in_against_what_was_heard_has_low_confidence(make, phoneme_speech):
    heard = phoneme_speech.rows(phoneme_speech.mixed((0.6, "DH AH G AE T"), (0.4, "DH AH K AE T")))
    tokens = make().decode(heard, 0.03).tokens
    assert "".join(token.text for token in tokens) == "the cat"
    assert tokens[0].confidence == pytest.approx(0.97, abs=0.01)
    assert tokens[-1].confidence == pytest.approx((0.4 * 0.97**3) ** (1 / 3), abs=0.01)


def test_long_utterances_are_placed_in_parts(make, phoneme_speech):
    decoder = make(beam_size=20)
    rows = phoneme_speech.random_speech(3, phoneme_speech.SENTENCES * 6)
    assert len(rows) > 1000
    quiet = decoder.search.blank_frames(decoder.heads.heard(rows))
    best = decoder.search.run(decoder.heads.heard(rows))
    parts = decoder.aligner.align(rows, best.labels, best.start_frames, quiet)
    whole = decoder.aligner.align(rows[:600], best.labels[:40], best.start_frames[:40], quiet[:600])
    assert best.start_frames[40] < 600
    np.testing.assert_array_equal(parts.first[:35], whole.first[:35])
    np.testing.assert_array_equal(parts.last[:35], whole.last[:35])
    assert (parts.first[1:] > parts.last[:-1]).all()


def same(one, other):
    return (
        np.array_equal(one.labels, other.labels)
        and np.array_equal(one.start_frames, other.start_frames)
        and one.score == other.score
    )


@pytest.mark.parametrize("size", [1, 7, 50])
def test_frames_in_pieces_give_the_same(make, phoneme_speech, size):
    search = make(beam_size=25).search
    values = phoneme_speech.random_speech(7, phoneme_speech.SENTENCES)[:, 29:]
    state = search.begin()
    for begin in range(0, len(values), size):
        search.advance(state, values[begin : begin + size])
        # Neither looking at the best text nor at the end changes anything.
        search.best(state)
        search.finish(state)
        search.spelled(state)
    assert same(search.finish(state), search.run(values))
    assert state.frames == len(values)


def test_forgotten_prefixes_do_not_matter(make, phoneme_speech, monkeypatch):
    search = make(beam_size=25).search
    values = phoneme_speech.random_speech(8, phoneme_speech.SENTENCES * 3)[:, 29:]
    whole = search.begin()
    search.advance(whole, values)
    monkeypatch.setattr("asr_runtime.decoding.traceback._FEW_PREFIXES", 100)
    small = search.begin()
    search.advance(small, values)
    assert same(search.finish(small), search.finish(whole))
    assert len(small.traceback) < 500 < len(whole.traceback)


def test_hotwords_are_pronounced_as_they_are_given(decode, phoneme_speech):
    heard = phoneme_speech.mixed((0.7, "DH AH K AE T S AE T"), (0.3, "DH AH K AO T S AE T"))
    assert decode(heard) == "the cat sat"
    assert decode(heard, hotwords=["Kott=K AO T"], hotword_bonus=3.0) == "the kott sat"
    # A further pronunciation of a known word.
    assert decode("DH AH K AO T S AE T", hotwords=["cat=K AO T"]) == "the cat sat"
    phrase = ["Kott Rann=K AO T, R AO N"]
    assert decode("K AO T R AO N", hotwords=phrase) == "kott rann"


@pytest.mark.parametrize("narrow", [{"beam_threshold": 8.0}, {"beam_size": 6}])
def test_the_beginning_of_a_hotword_drives_nothing_out_of_the_beam(decode, narrow):
    """The promise of a long one is 18 nats when *cat* ends."""
    hotword = "Catastrophe=K AE T AE S T R AH F IY"
    heard = "DH AH K AE T S AE T"
    assert decode(heard, hotwords=[hotword], hotword_bonus=5.0, **narrow) == "the cat sat"


def test_hotwords_that_cannot_be_pronounced(make):
    with pytest.raises(DecoderError, match="QQ"):
        make(hotwords=["Kott=K QQ T"])


@pytest.mark.parametrize("shape", [(69,), (3, 29), (1, 3, 69)])
def test_wrong_shape(make, shape):
    with pytest.raises(ValueError, match="log_probs"):
        make().decode(np.zeros(shape), 0.03)


def test_settings_of_letters_become_those_of_phonemes():
    default = PhonemeBeamConfig()
    assert for_phonemes(None) == default
    assert for_phonemes(BeamConfig()) == default
    changed = for_phonemes(BeamConfig(beam_size=7, blank_penalty=3.0))
    assert (changed.beam_size, changed.blank_penalty) == (7, 3.0)
    assert changed.language_model_weight == default.language_model_weight
    assert for_phonemes(PhonemeBeamConfig(beam_size=200)).beam_size == 200
