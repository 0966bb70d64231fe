"""Endless frames as sentences: where they are cut, what is stable, and what is kept of them."""

import math
import threading

import numpy as np
import pytest
from spelled_frames import (
    BLANK,
    ENGLISH,
    SECONDS,
    WORDS,
    pause,
    random_speech,
    run,
    spelled,
    texts,
)

from asr_runtime import BeamConfig, EndpointConfig
from asr_runtime.decoding.beam_decoder import BeamDecoder
from asr_runtime.decoding.greedy import greedy_decode
from asr_runtime.sentences.beam_sentence import BeamSentence
from asr_runtime.sentences.greedy_sentence import GreedySentence
from asr_runtime.sentences.sentence_decoder import SentenceDecoder

NEVER = EndpointConfig(math.inf, math.inf)
KINDS = ["greedy", "beam"]


@pytest.fixture(scope="module")
def beam_decoder(make_language_model):
    sentences = ["the cat sat on the mat", "a dog ran off", "the dog sat", "a cat ran"]
    model = make_language_model(WORDS, sentences=sentences)
    return BeamDecoder(model, ENGLISH, BLANK, config=BeamConfig(beam_size=20, label_threshold=0.01))


@pytest.fixture
def make(beam_decoder):
    def decoder(kind, endpoint=None):
        return SentenceDecoder(
            beam_decoder if kind == "beam" else None, ENGLISH, BLANK, SECONDS, endpoint
        )

    return decoder


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("endpoint", [EndpointConfig(), EndpointConfig(0.5, 3.0), NEVER])
def test_division_into_pieces_makes_no_difference(make, kind, endpoint):
    values = random_speech(1, 900)
    whole = run(make(kind, endpoint), values)
    assert len(whole) == 1 if endpoint is NEVER else len(whole) > 3
    generator = np.random.default_rng(2)
    sizes_of = [[1], [7], generator.integers(0, 90, 50).tolist()]
    for sizes in sizes_of if kind == "greedy" or endpoint.max_seconds < 9 else sizes_of[2:]:
        # Asking what is there must not change what comes.
        assert run(make(kind, endpoint), values, sizes, lambda d, s: d.partial()) == whole


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(3))
def test_without_an_end_it_is_the_decoder_of_whole_recordings(make, beam_decoder, kind, seed):
    values = random_speech(10 + seed, 600)
    (sentence,) = run(make(kind, NEVER), values, [13])
    if kind == "beam":
        whole = beam_decoder.decode(values, SECONDS)
    else:
        whole = greedy_decode(values, ENGLISH, BLANK, SECONDS)
    assert sentence.text == whole.text
    assert sentence.confidence == pytest.approx(whole.confidence, abs=0.01)
    starts = [[token.start for token in found.tokens] for found in (sentence, whole)]
    # Words are aligned a few at a time: now and then a boundary lies elsewhere.
    assert np.mean(np.abs(np.subtract(*starts)) > 1e-9) < 0.02
    assert (sentence.start, sentence.duration) == (0.0, pytest.approx(18.0))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("endpoint", [EndpointConfig(), EndpointConfig(0.5, 3.0), NEVER])
def test_stable_grows_and_begins_all_that_follows(make, kind, endpoint):
    stable = [""]
    lengths = []

    def check(decoder, sentences):
        for sentence in sentences:
            assert sentence.text.startswith(stable[0])
            stable[0] = ""
        partial = decoder.partial()
        assert partial.text.startswith(partial.stable)
        assert partial.stable.startswith(stable[0])
        assert partial.text == partial.text.strip()
        stable[0] = partial.stable
        lengths.append((len(partial.stable), len(partial.text)))

    last = run(make(kind, endpoint), random_speech(3, 900), [5], check)[-1]
    assert last.text.startswith(stable[0])
    assert max(length for length, _ in lengths) > 10


def test_words_become_stable_while_the_sentence_lasts(make):
    decoder = make("beam", NEVER)
    decoder.feed(spelled("the cat_ sat on the ma"))
    early = decoder.partial()
    assert early.text == "the cat sat on the ma"
    assert early.stable.startswith("the cat")
    # After some seconds what is best becomes stable though others are still possible.
    unclear = make("beam", NEVER)
    unclear.feed(np.log(0.51 * np.exp(spelled("a cat ")) + 0.49 * np.exp(spelled("a mat "))))
    unclear.feed(spelled("__________"))
    assert unclear.partial().stable in ("", "a")
    unclear.feed(spelled(pause(4.0)))
    assert unclear.partial().stable == "a cat"
    labels, _ = unclear._search._state.spelled()
    assert (labels[:, 0] == 1).all(), "a hypothesis that differs from the stable words is left"


@pytest.mark.parametrize("kind", KINDS)
def test_a_pause_ends_a_sentence(make, kind):
    decoder = make(kind)
    assert decoder.feed(spelled(pause(2) + "the cat sat" + pause(0.7) + " a dog")) == []
    assert decoder.partial().text == "the cat sat a dog"
    assert decoder.feed(spelled(pause(0.75))) == []
    (first,) = decoder.feed(spelled(pause(0.2)))
    assert first.text == "the cat sat a dog"
    assert (decoder.partial().text, decoder.partial().stable) == ("", "")
    assert decoder.feed(spelled(pause(3) + "the dog sat")) == []
    (second,) = decoder.finish(8.5)
    assert second.text == "the dog sat"
    # The cuts lie in the pauses, with silence on both sides.
    assert 0.3 < first.tokens[0].start - first.start <= 1.2
    assert 0.3 < first.start + first.duration - first.tokens[-1].end < 0.6
    assert second.start >= first.start + first.duration
    assert 0.3 < second.tokens[0].start - second.start <= 1.2


@pytest.mark.parametrize("kind", KINDS)
def test_times_count_from_the_first_frame(make, kind):
    frame = 0
    expected = []
    parts = []
    for _ in range(4):
        parts.append(pause(1.5) + "the_cat_sat")
        expected.append(frame + round(1.5 / SECONDS))
        frame += len(parts[-1])
    sentences = run(make(kind), spelled("".join(parts)), [20])
    assert [sentence.tokens[0].start for sentence in sentences] == pytest.approx(
        [SECONDS * begin for begin in expected]
    )
    assert [sentence.tokens[-1].end for sentence in sentences] == pytest.approx(
        [SECONDS * (begin + 11) for begin in expected]
    )


@pytest.mark.parametrize("kind", KINDS)
def test_no_time_reaches_past_the_end(make, kind):
    decoder = make(kind)
    decoder.feed(spelled("___the cat"))
    (sentence,) = decoder.finish(0.29)
    assert (sentence.duration, sentence.tokens[-1].end) == (0.29, 0.29)


@pytest.mark.parametrize("kind", KINDS)
def test_silence_and_a_hum_give_nothing(make, kind):
    generator = np.random.default_rng(0)
    hum = np.full((500, 29), math.log(0.3 / 28)) + generator.normal(0, 0.3, (500, 29))
    hum[:, BLANK] = math.log(0.7)
    for values in (spelled("_" * 500), spelled(" _" * 250), hum.astype(np.float32)):
        decoder = make(kind)
        assert run(decoder, values, [11]) == []
    assert make(kind).finish(0.0) == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_long_sentence_is_cut_at_its_pauses(make, kind):
    part = "the cat sat on the mat " * 4  # 92 frames, 2.8 s
    values = spelled("".join(part + pause(gap) for gap in (0.2, 0.6, 0.2, 0.6, 0.2, 0.6)))
    sentences = run(make(kind, EndpointConfig(2.0, 8.0)), values, [9])
    assert texts(sentences) == [(part * 2).strip()] * 3
    assert max(sentence.duration for sentence in sentences) <= 8.0


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(3))
def test_without_pauses_a_sentence_is_cut_between_words(make, kind, seed):
    values = random_speech(20 + seed, 900, pauses=False)
    whole = run(make(kind, NEVER), values)[0]
    sentences = run(make(kind, EndpointConfig(0.8, 6.0)), values, [30])
    assert len(sentences) >= 5
    assert max(sentence.duration for sentence in sentences) <= 6.0
    assert " ".join(texts(sentences)) == whole.text
    ends = [sentence.start + sentence.duration for sentence in sentences]
    starts = [sentence.start for sentence in sentences]
    assert ends[:-1] == pytest.approx(starts[1:])


@pytest.mark.parametrize("kind", KINDS)
def test_one_endless_word_is_cut_too(make, kind):
    values = spelled("ab_" * 400)
    sentences = run(make(kind, EndpointConfig(0.8, 3.0)), values, [30])
    assert max(sentence.duration for sentence in sentences) <= 3.0
    assert len(sentences) >= 10


@pytest.mark.parametrize("kind", KINDS)
def test_a_faint_word_at_the_cut_is_not_lost_or_doubled(make, kind):
    """Speech goes on in the very frame after the pause, or one before it would be long enough."""
    for gap in range(20, 34):
        values = spelled("the cat" + "_" * gap + " sat on the mat", 0.8)
        assert " ".join(texts(run(make(kind), values, [8]))) == "the cat sat on the mat"


def kept(decoder):
    """Numbers that a decoder keeps between pieces."""
    search = decoder._search
    numbers = decoder._waiting.size
    if isinstance(search, GreedySentence):
        return numbers + sum(piece.size for piece in search._pieces)
    assert isinstance(search, BeamSentence)
    return numbers + search._rows.size + 3 * len(search._state.traceback) + 4 * len(search._stable)


@pytest.mark.parametrize("pauses", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_memory_is_bounded(make, kind, pauses):
    """Half an hour greedy; two minutes with the beam search, which takes longer."""
    decoder = make(kind)
    sizes = []
    minute = random_speech(30, 2000, pauses)
    for _ in range(30 if kind == "greedy" else 2):
        for at in range(0, 2000, 50):
            decoder.feed(minute[at : at + 50])
            sizes.append(kept(decoder))
    # Thirty seconds of frames for greedy; a few seconds, and the prefixes within, for the beam.
    assert max(sizes) <= (1050 * 29 if kind == "greedy" else 20_000)
    assert max(sizes[len(sizes) // 2 :]) <= 1.2 * max(sizes[: len(sizes) // 2])


@pytest.mark.parametrize("kind", KINDS)
def test_silence_keeps_nothing(make, kind):
    decoder = make(kind)
    for _ in range(10):
        assert decoder.feed(spelled("_" * 2000)) == []
        assert kept(decoder) < 100 * 29


@pytest.mark.parametrize("kind", KINDS)
def test_decoders_do_not_disturb_each_other(make, kind):
    inputs = [random_speech(seed, 600) for seed in (40, 41)]
    alone = [run(make(kind), values) for values in inputs]
    decoders = [make(kind), make(kind)]
    found = [[], []]
    for at in range(0, 600, 17):
        for number, decoder in enumerate(decoders):
            found[number] += decoder.feed(inputs[number][at : at + 17])
    assert [found[n] + decoders[n].finish(18.0) for n in (0, 1)] == alone

    results = [None, None]

    def work(number):
        results[number] = run(make(kind), inputs[number], [10])

    threads = [threading.Thread(target=work, args=(number,)) for number in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == alone


def test_confidence_is_that_of_the_tokens(make):
    (sentence,) = run(make("greedy"), spelled("the cat", 0.8))
    assert sentence.confidence == pytest.approx(0.8, abs=1e-3)
    assert sentence.to_dict()["start"] == 0.0


@pytest.mark.parametrize("shape", [(29,), (3, 28), (1, 3, 29)])
def test_wrong_shape(make, shape):
    with pytest.raises(ValueError, match="log_probs"):
        make("greedy").feed(np.zeros(shape))
