"""A language model's neural network in the browser's decoder against Python's, in Node."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import word_networks

from asr_runtime import EndpointConfig, Recognizer
from asr_runtime.decoding.beam_config import PhonemeBeamConfig
from asr_runtime.language.language_model import FIRST_WORD
from asr_runtime.language.language_model_file import read_arrays, read_language_model
from asr_runtime.sentences.sentence_decoder import SentenceDecoder
from asr_train.ngram.writing import content_of

ROOT = Path(__file__).parents[2]
SMALL_LANGUAGE_MODEL = ROOT / "runtime" / "language_models" / "english-small.lm"
EDGES = (0, 201, 500, 1000)
Ask = Callable[..., list[Any]]
Decode = Callable[..., list[Any]]


@pytest.fixture(scope="module")
def with_network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small language model with a network of random weights, which has strange preferences."""
    header, arrays = read_arrays(SMALL_LANGUAGE_MODEL)
    unigrams = read_language_model(SMALL_LANGUAGE_MODEL).unigrams
    common = FIRST_WORD + np.argsort(-unigrams[FIRST_WORD:], kind="stable")[: EDGES[-1] - 2]
    sizes, network = word_networks.network(common, edges=EDGES)
    network["network_bias0"] *= np.float32(3)
    path = tmp_path_factory.mktemp("network") / "network.lm"
    path.write_bytes(content_of({**header, **sizes}, {**arrays, **network}))
    return path


@pytest.fixture(scope="module")
def rescoring(with_network: Path) -> Recognizer:
    return Recognizer.load(device="cpu", threads=1, language_model=with_network)


@pytest.fixture(scope="module")
def unclear(beam: Recognizer, demo: np.ndarray, spoil: Callable[..., np.ndarray]) -> np.ndarray:
    """Log-probabilities of unclear speech, of which the search finds many texts."""
    return spoil(beam._session.run_all([demo])[0], 2.5)


def test_gains_are_pythons(ask: Ask, with_network: Path) -> None:
    """Of common words, rarer ones, ones that the network lacks, and ones that nothing knows."""
    model = read_language_model(with_network)
    assert model.network is not None
    random = np.random.default_rng(4)
    known = np.flatnonzero(model.network.row >= 2)
    others = [0, *np.flatnonzero(model.network.row < 2)[-3:].tolist()]
    texts: list[list[int]] = [[], [others[1]]]
    for length in (1, 2, 6, 40):
        text = random.choice([*known[::7].tolist(), *others], length).tolist()
        # Texts with the same beginning share it.
        texts += [text, [int(known[length]), *text[1:]], [*text[:-1], int(known[0])]]
    expected = word_networks.gains(model, PhonemeBeamConfig(), texts)
    [found] = ask({"operation": "gains", "file": str(with_network), "texts": texts})
    assert found == pytest.approx(expected, abs=1e-4)
    # The network of chance foretells badly, so that its share falls: it says less and less.
    assert np.ptp(expected) > 2


def test_texts_are_pythons(
    decode: Decode, beam: Recognizer, rescoring: Recognizer, with_network: Path, unclear: np.ndarray
) -> None:
    decoder, seconds = rescoring._beam_decoder, rescoring.card.seconds_per_frame
    assert decoder is not None
    assert beam._beam_decoder is not None
    expected = decoder.decode(unclear, seconds)
    [found] = decode(rescoring.card, [{"rows": unclear}], with_network)
    assert found["text"] == expected.text != beam._beam_decoder.decode(unclear, seconds).text
    assert found["confidence"] == pytest.approx(expected.confidence, abs=1e-6)
    starts = [token.start for token in expected.tokens]
    assert [token["start"] for token in found["tokens"]] == pytest.approx(starts, abs=1e-6)


@pytest.mark.parametrize("longest", [60.0, 12.0])
def test_endless_speech_is_pythons(
    longest: float, decode: Decode, rescoring: Recognizer, with_network: Path, unclear: np.ndarray
) -> None:
    """Words settle at the same times, also in sentences that are cut by force."""
    card = rescoring.card
    # No pause ends a sentence, so that words become stable in the middle.
    rows = np.concatenate([unclear] * 4)
    endpoint = EndpointConfig(silence_seconds=30.0, max_seconds=longest)
    decoder = SentenceDecoder(
        rescoring._beam_decoder, card.vocabulary, card.blank_id, card.seconds_per_frame, endpoint
    )
    duration = len(rows) * card.seconds_per_frame
    sentences, partials = [], []
    for begin in range(0, len(rows), 33):
        sentences += decoder.feed(rows[begin : begin + 33])
        partial = decoder.partial()
        partials.append({"text": partial.text, "stable": partial.stable})
    sentences += decoder.finish(duration)
    case = {
        "rows": rows,
        "pieces": 33,
        "duration": duration,
        "endpoint": {"silenceSeconds": 30.0, "maxSeconds": longest},
    }
    [found] = decode(card, [case], with_network)
    assert len({partial["stable"] for partial in partials}) > 2
    assert len(sentences) == 1 if longest == 60.0 else len(sentences) >= 3
    assert found["partials"] == partials
    assert [each["text"] for each in found["sentences"]] == [each.text for each in sentences]


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("network_words", lambda array: array + np.int32(1 << 20)),
        ("network_recurrent", lambda array: array[:-1]),
        ("network_table2", lambda array: array.astype(np.uint8)),
        ("network_bias1", lambda array: array * np.float32(np.nan)),
        ("network_cluster", None),
    ],
)
def test_a_damaged_network_is_one_line(
    name: str,
    damage: Callable[[np.ndarray], np.ndarray] | None,
    ask: Ask,
    with_network: Path,
    tmp_path: Path,
) -> None:
    header, arrays = read_arrays(with_network)
    changed = dict(arrays)
    if damage is None:
        del changed[name]
    else:
        changed[name] = damage(changed[name])
    path = tmp_path / "damaged.lm"
    path.write_bytes(content_of(header, changed))
    [whole] = ask({"operation": "languageModel", "file": str(with_network)})
    [damaged] = ask({"operation": "languageModel", "file": str(path)})
    assert (whole, damaged) == (
        "",
        "The language model is damaged or cut off; load the page again.",
    )
