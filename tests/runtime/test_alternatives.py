"""The next best texts: their scores against all paths, long recordings, the command's JSON."""

import importlib.resources
import importlib.util
import itertools
import json
from pathlib import Path

import jsonschema
import numpy as np
import pytest
import soundfile

from asr_runtime import DecoderError, EndpointConfig, Recognizer
from asr_runtime.command import cli
from asr_runtime.decoding.beam_decoder import BeamDecoder
from asr_runtime.sentences.sentence_decoder import SentenceDecoder
from asr_runtime.transcript import Transcript

SCHEMA = json.loads(
    importlib.resources.files("asr_runtime").joinpath("transcript.schema.json").read_text()
)
DEMO = Path(__file__).parents[2] / "runtime" / "demo" / "demo.flac"


def neighbour(name):
    path = Path(__file__).with_name(f"{name}.py")
    spec = importlib.util.spec_from_file_location(f"runtime_{name}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


letters, sounds = neighbour("test_beam_search"), neighbour("test_phoneme_search")


def found_texts(search, values, write):
    state = search.begin(notes=True)
    search.advance(state, values)
    best = search.finish(state)
    paths = list(search.alternatives(state))
    assert np.array_equal(paths[0].labels, best.labels)
    assert paths[0].score == best.score == search.run(values).score
    scores = [path.score for path in paths]
    assert scores == sorted(scores, reverse=True)
    found = {}
    for path in paths:
        found.setdefault(write(path.labels), path.score)
    return found


def check_best(found, expected, number, tolerance):
    """The best texts over all paths were found, each with about its score."""
    for text in sorted(expected, key=expected.__getitem__, reverse=True)[:number]:
        # Of some paths only the better ones are followed, so scores are rather too low.
        assert expected[text] - tolerance <= found[text] <= expected[text] + 0.1


@pytest.mark.parametrize("seed", range(8))
def test_sounds_against_the_sum_over_all_paths(make_language_model, phoneme_speech, seed):
    words = {"x": ("AH",), "y": ("AH B", "B B"), "z": ("B",)}
    values = sounds.random_values(seed, 6)
    decoder = phoneme_speech.make_decoder(
        make_language_model,
        words=words,
        sentences=[" ".join(triple) for triple in itertools.product("xyz", repeat=3)],
        **sounds.EXACT,
    )
    tree = decoder.search._tree
    found = found_texts(
        decoder.search, values, lambda labels: tuple("xyz"[tree.word[label]] for label in labels)
    )
    check_best(found, sounds.brute_force(values, words), 6, 0.8)


@pytest.mark.parametrize("seed", range(8))
def test_letters_against_the_sum_over_all_paths(make_language_model, seed):
    model = make_language_model(["a", "aa", "ab", "b", "ba", "bb"])
    values = letters.random_log_probs(100 + seed, 6, 4)
    decoder = BeamDecoder(model, letters.VOCABULARY, letters.BLANK, config=letters.EXACT)
    found = found_texts(
        decoder.search,
        values,
        lambda labels: "".join(letters.VOCABULARY[label] for label in labels),
    )
    check_best(found, letters.brute_force(values), 6, 0.4)


@pytest.fixture
def decoders(make_language_model, phoneme_speech):
    """Both decoders, and an utterance for each in which a word in the middle is unclear."""
    by_sound = phoneme_speech.make_decoder(make_language_model)
    clear = "K AE T _ S AE T _ _ AA N _ DH AH _ M AE T _"
    unclear = clear.replace("S AE T", "_ AE D")
    heard = phoneme_speech.mixed((0.7, clear), (0.3, unclear))
    words = ["the", "cat", "sat", "set", "on", "mat"]
    model = make_language_model(words, sentences=["the cat sat on the mat"] * 2)
    by_letter = BeamDecoder(model, letters.ENGLISH, 28)
    text = "the cat {} on the mat"
    spelled = letters.mix((0.6, text.format("sat")), (0.4, text.format("set")))
    return [(by_sound, phoneme_speech.rows(heard)), (by_letter, spelled)]


def test_what_is_best_stays_the_same_and_comes_first(decoders):
    for decoder, rows in decoders:
        alone, several = decoder.decode(rows, 0.03), decoder.decode(rows, 0.03, alternatives=3)
        assert (several.text, several.tokens) == (alone.text, alone.tokens)
        assert several.confidence == alone.confidence
        assert alone.alternatives == ()
        texts, scores = zip(*several.alternatives, strict=True)
        assert texts[0] == alone.text
        assert len(set(texts)) == len(texts) == 3
        assert scores[0] == 0.0
        assert list(scores) == sorted(scores, reverse=True)
        assert decoder.decode(rows, 0.03, alternatives=2).alternatives == several.alternatives[:2]


def test_a_word_in_the_middle_differs(decoders):
    """After it the two have the same future: without notes only one of them is left at the end."""
    (by_sound, heard), (by_letter, spelled) = decoders
    texts = [text for text, _ in by_sound.decode(heard, 0.03, alternatives=10).alternatives]
    assert {"cat sat on the mat", "cat add on the mat"} <= set(texts)
    texts = [text for text, _ in by_letter.decode(spelled, 0.03, alternatives=2).alternatives]
    assert texts == ["the cat sat on the mat", "the cat set on the mat"]


@pytest.mark.parametrize("endpoint", [EndpointConfig(0.3, 30.0), EndpointConfig(30.0, 3.0)])
def test_sentences_have_their_own(make_language_model, phoneme_speech, endpoint):
    decoder = phoneme_speech.make_decoder(make_language_model)
    rows = phoneme_speech.random_speech(1, phoneme_speech.SENTENCES)

    def sentences(**several):
        search = SentenceDecoder(decoder, phoneme_speech.ENGLISH, 28, 0.03, endpoint, **several)
        found = [each for part in np.array_split(rows, 9) for each in search.feed(part)]
        return found + search.finish(len(rows) * 0.03)

    found, alone = sentences(alternatives=3), sentences()
    assert len(found) > 3
    for one, other in zip(found, alone, strict=True):
        assert (one.text, one.tokens, one.confidence) == (
            other.text,
            other.tokens,
            other.confidence,
        )
        assert other.alternatives == ()
        first, *rest = one.alternatives
        assert (first.text, first.score) == (one.text, 0.0)
        assert 1 <= len(rest) <= 2
        assert all(each.score <= 0 and each.text != one.text for each in rest)
        assert {(each.start, each.end) for each in one.alternatives} == {(one.start, one.end)}
    joined = Transcript.join(found)
    assert joined.alternatives == tuple(each for one in found for each in one.alternatives)


def test_the_shipped_model():
    plain = Recognizer.load(device="cpu", threads=1)
    transcript = plain.with_alternatives(5).transcribe(DEMO)
    assert not plain.transcribe(DEMO).alternatives
    assert len(transcript.alternatives) == 5
    assert transcript.alternatives[0].text == transcript.text
    assert transcript.alternatives[1].score < 0
    assert transcript.alternatives[0].end == transcript.duration
    found = transcript.to_dict()
    jsonschema.Draft202012Validator(SCHEMA).validate(found)
    assert found["alternatives"][1].keys() == {"text", "score", "start", "end"}


@pytest.mark.parametrize("number", [0, 101, 1.5])
def test_impossible_numbers(model_file, number):
    with pytest.raises(DecoderError, match="alternatives must be 1 to 100"):
        Recognizer.load(model_file, alternatives=number)
    greedy = Recognizer.load(model_file, decoder="greedy")
    with pytest.raises(DecoderError, match="alternatives must be 1 to 100"):
        greedy.with_alternatives(number)
    with pytest.raises(DecoderError, match="greedy decoder knows one text"):
        greedy.with_alternatives(2)


class TestCommand:
    @pytest.fixture
    def run(self, run_command_line, model_file, save_language_model):
        words = save_language_model(["hello", "world", "test", "a", "it's"])

        def call(*arguments):
            options = ["--model", model_file, "--device", "cpu", "--language-model", words]
            return run_command_line(cli.main, *options, *arguments)

        return call

    def test_json(self, run, clips, speak, tmp_path):
        pause = np.zeros(5 * 16000, np.float32)
        parts = [part for _ in range(11) for part in (speak("hello world"), pause)]
        soundfile.write(tmp_path / "long.wav", np.concatenate(parts), 16000)
        for file, segments in ((clips["one.wav"], 1), (tmp_path / "long.wav", 11)):
            arguments = ["--format", "json", file]
            status, output, errors = run("--alternatives", "3", *arguments)
            assert (status, errors) == (0, "")
            found = json.loads(output)
            jsonschema.Draft202012Validator(SCHEMA).validate(found)
            best = [each for each in found["alternatives"] if each["score"] == 0]
            assert len(best) == segments
            assert " ".join(each["text"] for each in best) == found["text"]
            alone = json.loads(run(*arguments)[1])
            assert "alternatives" not in alone
            for name in ("text", "words", "tokens", "confidence"):
                assert found[name] == alone[name]

    @pytest.mark.parametrize(
        ("arguments", "problem", "expected"),
        [
            ([], "--alternatives needs --format json", 2),
            (["--format", "srt"], "--alternatives needs --format json", 2),
            (["--format", "json", "--decoder", "greedy"], "has no alternatives; choose", 1),
            (["--format", "json", "--alternatives", "101"], "is not in the range", 2),
        ],
    )
    def test_what_does_not_go_together(self, run, clips, arguments, problem, expected):
        status, output, errors = run("--alternatives", "3", *arguments, clips["one.wav"])
        assert (status, output) == (expected, "")
        assert problem in errors
