"""A neural language model, from texts to the n-gram model's file that it is added to."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch
from neural_runs import SMALL, run, small_network, write_base

from asr_runtime.language.language_model import FIRST_WORD
from asr_runtime.language.language_model_file import read_arrays, read_language_model
from asr_train.cli import main
from asr_train.errors import DataError
from asr_train.neural_lm.checkpoint import load_network
from asr_train.neural_lm.encoded_texts import encode_texts
from asr_train.neural_lm.int8_rows import int8_rows, named_matrices, named_vectors, rounded_network
from asr_train.neural_lm.known_words import KnownWords, most_probable_words
from asr_train.neural_lm.network import (
    SENTENCE_ROW,
    UNKNOWN_ROW,
    WordNetwork,
    WordNetworkConfig,
)
from asr_train.neural_lm.training import WINDOW_WORDS, random_windows
from asr_train.ngram.writing import content_of


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_base(tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="module")
def trained(base: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The folder of a run, and what the command said."""
    out = tmp_path_factory.mktemp("trained") / "run"
    text, dev = base.with_name("text.txt"), base.with_name("dev.txt")
    files = ("--base", base, "--out", out, "--dev-text", dev, "--source", "a test")
    said = run("neural-language-model", text, *files, *SMALL, "--train-words", 64_000)
    return out, said


def test_words_are_the_most_probable_ones_without_rare_ones(base: Path) -> None:
    model = read_language_model(base)
    assert "okapi" in model.words
    known = most_probable_words(base, 100)
    assert len(known.words) == 15
    assert "okapi" not in known.words
    probabilities = model.unigrams[known.ids(model, base)].tolist()
    assert probabilities == sorted(probabilities, reverse=True)
    assert most_probable_words(base, 3).words == known.words[:3]


def test_texts_become_rows(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("The cat sat.\n\n\nA dog sat\n")
    texts = encode_texts([tmp_path / "a.txt"], KnownWords(("sat", "the", "dog")), tmp_path)
    the_cat_sat, a_dog_sat = [3, UNKNOWN_ROW, 2], [UNKNOWN_ROW, 4, 2]
    assert texts.rows[0].tolist() == [0, *the_cat_sat, 0, *a_dog_sat, 0]
    assert texts.unknown == [pytest.approx(2 / 6)]


def test_windows_begin_with_a_sentences_end_and_are_of_the_texts_in_their_parts() -> None:
    def text(word: int) -> npt.NDArray[np.uint16]:
        return np.array(([0] + [word] * 9) * 40, np.uint16)

    texts, chances = [text(2), text(3)], np.array([0.25, 0.75])
    windows = random_windows(texts, chances, 400, np.random.default_rng((1, 2, 3)))
    assert windows.shape == (400, WINDOW_WORDS + 1)
    assert (windows[:, 0] == SENTENCE_ROW).all()
    assert 0.65 < (windows[:, 1] == 3).mean() < 0.85
    again = random_windows(texts, chances, 400, np.random.default_rng((1, 2, 3)))
    np.testing.assert_array_equal(windows, again)
    endless = np.full(5000, 2, np.uint16)
    with pytest.raises(DataError, match="one sentence a line"):
        random_windows([endless], np.ones(1), 1, np.random.default_rng(1))


def test_a_network_learns_what_trigrams_cannot_know(trained: tuple[Path, str]) -> None:
    said = trained[1].splitlines()[-1]
    found = re.search(r"over (\S+) words .* n-grams (\S+), network (\S+), .* parts (\S+)$", said)
    assert found is not None, said
    number, ngrams, network, mixture = (float(text.replace(",", "")) for text in found.groups())
    assert number == 200 * 5
    # The second word is one of six, and so is the last one to n-grams: 6 ** (2 / 5) is 2.05.
    assert 1.9 < ngrams < 2.2
    assert 1.3 < network < 1.6  # 6 ** (1 / 5) is 1.43
    assert network < mixture < ngrams


def test_training_goes_on_without_the_texts(
    trained: tuple[Path, str], base: Path, tmp_path: Path
) -> None:
    out, _ = trained
    text = tmp_path / "text.txt"  # a file that is not there
    files = (text, "--base", base, "--out", out, "--source", "a test", "--resume")
    said = run("neural-language-model", *files, *SMALL, "--train-words", 66_000)
    assert "going on after 0.1 M words" in said
    state = torch.load(out / "training.pt", weights_only=True)
    assert state["progress"]["words"] == 66_240
    assert state["progress"]["step"] == 207


def test_the_file_has_the_network_beside_what_it_had(
    trained: tuple[Path, str], base: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.lm"
    run("add-neural-language-model", trained[0], base, out)
    network = load_network(trained[0]).network
    assert out.read_bytes() == (trained[0] / "language-model.lm").read_bytes()
    before, old = read_arrays(base)
    header, arrays = read_arrays(out)
    model = read_language_model(out)
    assert list(arrays)[: len(old)] == list(old)
    begin = len(base.read_bytes()) - before["bytes"]
    old_bytes = base.read_bytes()[begin:]
    new_bytes = out.read_bytes()[-header["bytes"] :]
    assert new_bytes.startswith(old_bytes)
    places = [*header["arrays"].values(), {"offset": len(out.read_bytes()) - header["bytes"]}]
    assert all(place["offset"] % 64 == 0 for place in places)
    about = {"arrays", "bytes", "sha256"}
    assert {key: header[key] for key in before if key not in about} == {
        key: before[key] for key in before if key not in about
    }
    assert header["network"] == {
        "version": 1,
        "hidden": 32,
        "edges": [0, 6, 10, 17],
        "dims": [16, 8, 4],
        "source": "a test",
    }
    added = list(arrays)[len(old) :]
    assert all(name.startswith("network_") for name in added)
    words = [model.words[number - FIRST_WORD] for number in arrays["network_words"]]
    assert tuple(words) == most_probable_words(base, 15).words
    assert arrays["network_words"].dtype == np.int32
    rounded = dict(named_matrices(rounded_network(network)))
    for name, matrix in named_matrices(network):
        numbers, scale = arrays[f"network_{name}"], arrays[f"network_{name}_scale"]
        assert (numbers.dtype, scale.dtype) == (np.int8, np.float32)
        values = numbers.reshape(matrix.shape) * scale[:, None]
        assert (np.abs(values - matrix.detach().numpy()) <= scale[:, None] * 0.5001).all()
        np.testing.assert_array_equal(values, rounded[name].detach().numpy())
    for name, vector in named_vectors(network):
        np.testing.assert_array_equal(arrays[f"network_{name}"], vector.detach().numpy())
    assert len(added) == 1 + 2 * len(rounded) + len(dict(named_vectors(network)))


def test_the_search_computes_what_was_trained(trained: tuple[Path, str]) -> None:
    network = rounded_network(load_network(trained[0]).network).eval()
    reader = read_language_model(trained[0] / "language-model.lm").network
    assert reader is not None
    rows = np.random.default_rng(1).integers(0, 17, 60)
    states = np.zeros((len(rows) + 1, reader.hidden), np.float32)
    inputs = reader.inputs(np.append(0, rows))
    for place in range(len(rows)):
        after = reader.advance(inputs[place : place + 1], states[place : place + 1])
        states[place + 1] = after[0]
    found = reader.log_probs(states, np.arange(1, len(rows) + 1), rows)
    sentence = torch.from_numpy(np.append(0, rows))[None]
    with torch.no_grad():
        expected = -network(sentence[:, :-1], sentence[:, 1:])
    np.testing.assert_allclose(found, expected[0].numpy(), atol=1e-4)


def test_a_conversion_says_that_it_leaves_the_network_out(
    trained: tuple[Path, str], tmp_path: Path
) -> None:
    said = run("language-model", trained[0] / "language-model.lm", "--out", tmp_path / "out.lm")
    assert "add-neural-language-model" in said
    assert read_language_model(tmp_path / "out.lm").network is None


def test_a_network_takes_the_place_of_another(
    trained: tuple[Path, str], base: Path, tmp_path: Path
) -> None:
    twice = tmp_path / "twice.lm"
    # One of more clusters, whose arrays must not stay.
    other = WordNetwork(WordNetworkConfig((0, 4, 6, 10, 17), (16, 8, 4, 2), 24))
    words = "\n".join(most_probable_words(base, 15).words)
    torch.save({"model": other.state_dict(), "words": words}, tmp_path / "other.pt")
    run("add-neural-language-model", tmp_path / "other.pt", base, twice)
    header, arrays = read_arrays(twice)
    assert header["network"]["edges"] == [0, 4, 6, 10, 17]
    assert header["network"]["source"] == ""
    assert "network_lift3" in arrays
    run("add-neural-language-model", trained[0], twice, twice)
    assert twice.read_bytes() == (trained[0] / "language-model.lm").read_bytes()


def test_a_file_without_a_network_is_written_as_it_was(base: Path) -> None:
    assert content_of(*read_arrays(base)) == base.read_bytes()


def test_rows_of_zeros_and_of_one_number_are_rounded() -> None:
    numbers, scale = int8_rows(np.array([[0, 0], [-3, 1.5], [1e-3, 0]], np.float32))
    assert numbers.tolist() == [[0, 0], [-127, 64], [127, 0]]
    np.testing.assert_allclose(scale, [0, 3 / 127, 1e-3 / 127], rtol=1e-6)


def test_training_starts_from_the_weights_of_a_file(base: Path, tmp_path: Path) -> None:
    given = small_network(seed=3)
    torch.save({"model": given.state_dict(), "used": 1.0}, tmp_path / "given.pt")
    files = ("--base", base, "--out", tmp_path / "run", "--init", tmp_path / "given.pt")
    text = base.with_name("text.txt")
    settings = [*SMALL, "--learning-rate", "1e-7", "--train-words", 1]
    run("neural-language-model", text, *files, *settings)
    found = load_network(tmp_path / "run").network.state_dict()
    for name, values in given.state_dict().items():
        torch.testing.assert_close(found[name], values, atol=1e-6, rtol=0)


def test_two_processes_share_a_step(base: Path, tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    files = [base.with_name("text.txt"), "--base", base, "--out", tmp_path / "run"]
    command = [sys.executable, "-m", "asr_train", "neural-language-model", *map(str, files)]
    # As torchrun starts them.
    group = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    started = [
        subprocess.Popen(
            [*command, *SMALL, "--train-words", "1"],
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | group | {"RANK": str(rank), "OMP_NUM_THREADS": "1"},
        )
        for rank in range(2)
    ]
    said = [process.communicate()[0] for process in started]
    assert [process.returncode for process in started] == [0, 0]
    assert "wrote " in said[0]
    assert said[1] == ""
    state = torch.load(tmp_path / "run" / "training.pt", weights_only=True)
    assert state["progress"]["words"] == 8 * WINDOW_WORDS
    # What AdamW keeps of the first step is a tenth of the gradient: of the mean of both.
    texts = [np.memmap(tmp_path / "run" / "text0.rows", np.uint16, "r")]
    torch.manual_seed(1)
    network = WordNetwork(WordNetworkConfig((0, 6, 10, 17), (16, 8, 4), 32)).train()
    for rank in range(2):
        windows = random_windows(texts, np.ones(1), 4, np.random.default_rng((1, 0, rank)))
        batch = torch.from_numpy(windows)
        (network.loss(batch[:, :-1], batch[:, 1:]) / 2).backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
    for index, parameter in enumerate(network.parameters()):
        assert parameter.grad is not None
        kept = state["optimizer"]["state"][index]["exp_avg"]
        torch.testing.assert_close(kept, 0.1 * parameter.grad, atol=1e-6, rtol=1e-3)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        (["--hidden", "16"], "of a network of other sizes"),
        (["--vocabulary", "16"], "its texts were encoded with other words"),
        (["dev.txt"], "was begun with other texts (text.txt)"),
    ],
)
def test_a_run_does_not_go_on_as_another(
    run_command_line: Callable[..., tuple[int, str, str]],
    trained: tuple[Path, str],
    base: Path,
    changes: list[str],
    problem: str,
) -> None:
    texts = [base.with_name("text.txt")]
    files = ["--base", base, "--out", trained[0], *SMALL, "--resume"]
    code, _, errors = run_command_line(main, "neural-language-model", *texts, *files, *changes)
    assert code == 1
    assert problem in errors.splitlines()[-1]
