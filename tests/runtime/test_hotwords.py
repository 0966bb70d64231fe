"""Hotwords win where they may have been said, and leave no trace where not."""

import numpy as np
import pytest
import typer

from asr_runtime import BeamConfig, DecoderError, Recognizer
from asr_runtime.command.loading import LoadingOptions
from asr_runtime.decoding.beam_decoder import BeamDecoder
from asr_runtime.decoding.hotwords import PhraseScorer
from asr_runtime.language.hotword import Hotword, hotword_entries, parse_hotword
from asr_runtime.language.phonemes import format_phonemes

ENGLISH = ["'", " ", *"abcdefghijklmnopqrstuvwxyz", "<blk>"]
SOUND_ALONE = {"language_model_weight": 0, "letter_prior_weight": 0, "blank_penalty": 0}
WORDS = ["mister", "panama", "sad", "said", "tough", "york", "new", "knew"]
SENTENCES = ["mister panama said", "said mister tough", "york knew", "new york"] * 10


def mix(*parts):
    """Log-probabilities of several spellings of equal length, each with its share."""
    values = np.full((len(parts[0][1]), 29), 0.001)
    for share, text in parts:
        for frame, letter in enumerate(text):
            values[frame, 28 if letter == "_" else ENGLISH.index(letter)] += share
    return np.log(values / values.sum(axis=1, keepdims=True))


@pytest.fixture
def decode(make_language_model):
    model = make_language_model(WORDS, SENTENCES)

    def run(values, *hotwords, **settings):
        decoder = BeamDecoder(model, ENGLISH, 28, hotwords, BeamConfig(**settings))
        return decoder.decode(values, 0.03).text

    return run


def test_name_outside_the_vocabulary(decode):
    heard = mix((0.6, "mister panama_ said"), (0.4, "mister panatov said"))
    assert decode(heard) == "mister panama said"
    assert decode(heard, "Panatov", hotword_bonus=2.0) == "mister panatov said"
    assert decode(heard, "zebra", hotword_bonus=2.0) == "mister panama said"


def test_what_was_not_said_is_not_found(decode):
    clear = mix((0.99, "mister tough said"))
    assert decode(clear, "panatov", "roughly", hotword_bonus=3.0) == "mister tough said"


def test_phrase_gains_as_a_whole_only(decode):
    heard = mix((0.9, "knew york"), (0.1, "_new york"))
    settings = SOUND_ALONE
    assert decode(heard, **settings) == "knew york"
    assert decode(heard, "new york", hotword_bonus=1.0, **settings) == "new york"
    # "new" begins the phrase and is given back, for "said" breaks it off.
    broken = mix((0.9, "knew said"), (0.1, "_new said"))
    assert decode(broken, "new york", hotword_bonus=1.0, **settings) == "knew said"
    assert decode(broken, "new", hotword_bonus=1.0, **settings) == "new said"


def test_phrase_at_the_end_of_the_text_is_given_back(decode):
    heard = mix((0.9, "knew"), (0.1, "_new"))
    settings = SOUND_ALONE | {"hotword_bonus": 1.0}
    assert decode(heard, "new york", **settings) == "knew"
    assert decode(heard, "new", **settings) == "new"


@pytest.mark.parametrize(
    ("hotword", "problem"),
    [
        ("café", "'é', which the model cannot write"),
        ("route 66", "'6', which"),
        ("", "is empty"),
        ("  ", "is empty"),
    ],
)
def test_hotword_that_cannot_be_spelled(decode, hotword, problem):
    with pytest.raises(DecoderError, match=problem) as caught:
        decode(mix((1.0, "said")), hotword)
    assert "\n" not in str(caught.value)


def follow(scorer, words):
    states = np.zeros(1, np.int64)
    total = 0.0
    for word in words:
        gain, states = scorer.advance(states, np.array([word]))
        total += float(gain[0])
    return total + float(scorer.finish(states)[0])


BONUS = {1: 1.0, 2: 10.0, 3: 100.0, 4: 1000.0}


@pytest.mark.parametrize(
    ("words", "earned"),
    [
        ([], 0),
        ([1], 0),
        ([1, 2], 0),
        ([1, 2, 3], 111),
        ([1, 2, 9], 0),
        ([9, 1, 2, 3, 9], 111),
        ([1, 2, 3, 1, 2, 3], 222),
        ([1, 1, 2, 3], 111),
        ([2, 4], 1010),
        ([1, 2, 4], 1010),  # the second phrase within the broken-off first
        ([3], 100),
        ([3, 3], 200),
        ([-1, 2, -1], 0),
    ],
)
def test_only_complete_phrases_earn(words, earned):
    scorer = PhraseScorer([[1, 2, 3], [2, 4], [3]], BONUS)
    assert follow(scorer, words) == pytest.approx(earned)


def test_phrase_that_ends_within_another_is_kept():
    scorer = PhraseScorer([[1, 2, 3], [2]], BONUS)
    assert follow(scorer, [1, 2]) == 10
    assert follow(scorer, [1, 2, 9]) == 10
    assert follow(scorer, [1, 2, 3]) == 111


def test_phrase_that_begins_another():
    scorer = PhraseScorer([[1], [1, 2, 3]], BONUS)
    assert follow(scorer, [1]) == 1
    assert follow(scorer, [1, 2]) == 1
    assert follow(scorer, [1, 2, 9]) == 1
    assert follow(scorer, [1, 2, 3]) == 111


def test_ten_thousand_phrases_take_no_table_of_their_square():
    phrases = [[3 * number, 3 * number + 1] for number in range(10_000)]
    scorer = PhraseScorer(phrases, {word: 1.0 for phrase in phrases for word in phrase})
    gains, states = scorer.advance(np.zeros(3, np.int64), np.array([0, 29_997, 2]))
    assert gains.tolist() == [1.0, 1.0, 0.0]
    gains, states = scorer.advance(states, np.array([1, 0, 0]))
    assert gains.tolist() == [1.0, 0.0, 1.0]
    assert scorer.finish(states).tolist() == [0.0, -1.0, -1.0]


def test_weight_of_a_phrase():
    scorer = PhraseScorer([[1, 2], [1, 3]], BONUS, [2.0, 0.5])
    assert follow(scorer, [1, 2]) == 22
    assert follow(scorer, [1, 3]) == 50.5
    assert follow(scorer, [1]) == 0
    assert follow(scorer, [1, 9]) == 0


def test_weight_where_one_phrase_begins_another():
    scorer = PhraseScorer([[1], [1, 2]], BONUS, [1.0, 3.0])
    assert follow(scorer, [1]) == 1
    assert follow(scorer, [1, 9]) == 1
    assert follow(scorer, [1, 2]) == 33


def test_weight_decides(decode):
    heard = mix((0.6, "mister panama_ said"), (0.4, "mister panatov said"))
    assert decode(heard, "Panatov:0.1", hotword_bonus=2.0) == "mister panama said"
    assert decode(heard, "Panatov", hotword_bonus=0.1) == "mister panama said"
    assert decode(heard, "Panatov:20", hotword_bonus=0.1) == "mister panatov said"
    assert decode(heard, "Panatov:0.1", "panatov:20", hotword_bonus=0.1) == "mister panatov said"


def test_hotword_with_everything():
    hotword = parse_hotword("New York=N UW, Y AO R K:2.5")
    assert (hotword.text, hotword.weight) == ("New York", 2.5)
    assert list(map(format_phonemes, hotword.pronunciations)) == ["N UW", "Y AO R K"]
    assert parse_hotword("O\u2019Hara") == Hotword("O'Hara")


@pytest.mark.parametrize("entry", ["York:", "York:much", "York:-1", "York:nan", "York:101"])
def test_weight_that_is_none(entry):
    with pytest.raises(DecoderError, match="for its weight; give a number from 0 to 100"):
        parse_hotword(entry)


def test_list_that_is_none():
    with pytest.raises(DecoderError, match=r"give \[word\]"):
        hotword_entries("York")
    with pytest.raises(DecoderError, match="a weight follows a colon"):
        hotword_entries([("York", 2.0)])
    assert hotword_entries(None) == []


def test_other_hotwords_without_another_model(make_language_model):
    heard = mix((0.6, "mister panama_ said"), (0.4, "mister panatov said"))
    model = make_language_model(WORDS, SENTENCES)
    plain = BeamDecoder(model, ENGLISH, 28, (), BeamConfig(hotword_bonus=2.0))
    hoping = plain.with_hotwords(["Panatov"])
    assert hoping.config == plain.config
    assert hoping.decode(heard, 0.03).text == "mister panatov said"
    assert plain.decode(heard, 0.03).text == "mister panama said"
    assert hoping.with_hotwords([]).decode(heard, 0.03).text == "mister panama said"


def test_greedy_decoding_takes_no_hotwords():
    with pytest.raises(DecoderError, match="load with decoder='beam'"):
        Recognizer.load(device="cpu", decoder="greedy").with_hotwords(["Panayotov"])


def test_file_of_hotwords(tmp_path):
    file = tmp_path / "names.txt"
    file.write_text(
        "\ufeffPanayotov=P AA N AH Y OW T AO F  # of LibriSpeech\r\n\n# more\nNew York\n", "utf-8"
    )
    assert LoadingOptions(hotword=["Ithaca"], hotwords=file).checked().hotword == [
        "Ithaca",
        "Panayotov=P AA N AH Y OW T AO F",
        "New York",
    ]
    assert LoadingOptions().checked().hotword is None
    with pytest.raises(typer.BadParameter, match="cannot be read"):
        LoadingOptions(hotwords=tmp_path / "none").checked()


def test_no_hotwords_may_be_none():
    assert Recognizer.load(device="cpu", decoder="greedy", hotwords=None).decoder == "greedy"
