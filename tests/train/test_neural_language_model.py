"""A neural language model, from texts to the n-gram model's file that it is added to."""

from __future__ import annotations

import os
import random
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
import torch.nn.functional as F  # noqa: N812 - everybody's name for it
from typer.testing import CliRunner

from asr_runtime.language.language_model import FIRST_WORD
from asr_runtime.language.language_model_file import read_arrays, read_language_model
from asr_train.cli import app, main
from asr_train.errors import DataError
from asr_train.neural_lm.checkpoint import load_network
from asr_train.neural_lm.cross_entropy import linear_cross_entropy
from asr_train.neural_lm.encoded_texts import encode_texts
from asr_train.neural_lm.int8_rows import int8_rows, named_matrices, named_vectors, rounded_network
from asr_train.neural_lm.known_words import KnownWords, most_probable_words
from asr_train.neural_lm.network import (
    SENTENCE_ROW,
    UNKNOWN_ROW,
    WordNetwork,
    WordNetworkConfig,
)
from asr_train.neural_lm.processes import Processes
from asr_train.neural_lm.training import WINDOW_WORDS, random_windows
from asr_train.ngram.building import BuildSettings, build_language_model
from asr_train.ngram.writing import content_of

KINDS = ("cat", "dog", "cow", "hen", "fox", "bee")
SOUNDS = ("purrs", "barks", "moos", "clucks", "howls", "hums")
SMALL = [
    "--clusters", "6,10", "--embeddings", "16,8,4", "--hidden", "32", "--batch-rows", "8",
    "--learning-rate", "0.02", "--minutes", "60",
]  # fmt: skip


def write_sentences(path: Path, number: int, seed: int) -> None:
    """Sentences whose last word follows from their second one, which trigrams do not reach."""
    chance = random.Random(seed)
    kinds = [chance.randrange(len(KINDS)) for _ in range(number)]
    path.write_text("".join(f"the {KINDS[kind]} in here {SOUNDS[kind]}\n" for kind in kinds))


def run(*arguments: object) -> str:
    result = CliRunner().invoke(app, list(map(str, arguments)))
    if result.exception is not None:
        raise result.exception
    return result.output


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An n-gram model of 15 words and a rare one, beside the texts it was made from."""
    folder = tmp_path_factory.mktemp("base")
    write_sentences(folder / "text.txt", 2000, 1)
    write_sentences(folder / "dev.txt", 200, 2)
    with (folder / "text.txt").open("a") as file:
        file.write("the okapi\n")
    settings = BuildSettings(vocabulary=15, minimum_count=1, rare_words=1, pronounced=True)
    build_language_model([folder / "text.txt"], folder / "base.lm", settings)
    return folder / "base.lm"


@pytest.fixture(scope="module")
def trained(base: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The folder of a run, and what the command said."""
    out = tmp_path_factory.mktemp("trained") / "run"
    text, dev = base.with_name("text.txt"), base.with_name("dev.txt")
    files = ("--base", base, "--out", out, "--dev-text", dev, "--source", "a test")
    said = run("neural-language-model", text, *files, *SMALL, "--train-words", 64_000)
    return out, said


def small_network(rows: int = 17, seed: int = 1) -> WordNetwork:
    torch.manual_seed(seed)
    network = WordNetwork(WordNetworkConfig((0, 6, 10, rows), (16, 8, 4), 32))
    with torch.no_grad():
        for bias in network.bias:
            bias.normal_()
    return network


def test_the_fused_loss_is_the_plain_one() -> None:
    torch.manual_seed(1)
    # More rows than are computed at a time.
    values = [torch.randn(*shape, dtype=torch.float64) for shape in ((600, 5), (9, 5), (9,))]
    targets = torch.randint(9, (600,))
    fused, plain = ([value.clone().requires_grad_() for value in values] for _ in range(2))
    found = linear_cross_entropy(*fused, targets)
    expected = F.cross_entropy(F.linear(*plain), targets, reduction="sum")
    torch.testing.assert_close(found, expected)
    (3 * found).backward()
    (3 * expected).backward()
    for mine, other in zip(fused, plain, strict=True):
        torch.testing.assert_close(mine.grad, other.grad)


def test_training_and_scoring_compute_the_same_probabilities() -> None:
    network = small_network().train()
    rows = torch.randint(17, (3, 12))
    rows[:, 0] = SENTENCE_ROW
    loss, plain = network.loss(rows[:, :-1], rows[:, 1:]), network(rows[:, :-1], rows[:, 1:])
    torch.testing.assert_close(loss, plain.mean())
    gradients = [
        torch.autograd.grad(value, list(network.parameters())) for value in (loss, plain.mean())
    ]
    for mine, other in zip(*gradients, strict=True):
        torch.testing.assert_close(mine, other)
    # All words after a beginning are as probable as one.
    every = torch.arange(17)[:, None]
    with torch.no_grad():
        probabilities = torch.exp(-network(torch.zeros_like(every), every))
    assert float(probabilities.sum()) == pytest.approx(1, abs=1e-5)


def test_weights_have_the_names_of_the_first_checkpoints() -> None:
    assert set(small_network().state_dict()) == {
        *("tables.0", "tables.1", "tables.2", "lift.0.weight", "lift.1.weight"),
        *("gru.weight_ih_l0", "gru.weight_hh_l0", "gru.bias_ih_l0", "gru.bias_hh_l0"),
        *("out.0.weight", "out.1.weight", "out.2.weight", "cluster.weight", "cluster.bias"),
        *("bias.0", "bias.1", "bias.2"),
    }


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


def test_parameters_without_a_gradient_count_as_zeros() -> None:
    parameters = [torch.nn.Parameter(torch.ones(2)), torch.nn.Parameter(torch.ones(1))]
    parameters[0].grad = torch.ones(2)
    assert Processes().average_gradients(parameters, 2.0, 0.5) == (2.0, 0.5)
    assert [each.grad.tolist() for each in parameters if each.grad is not None] == [[1, 1], [0]]


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


def _spoil(folder: Path) -> None:
    """Write files that cannot be used."""
    (folder / "text.txt").write_text("the cat in here purrs\n" * 20)
    (folder / "short.txt").write_text("the cat\n")
    (folder / "broken.pt").write_bytes(b"nothing")
    torch.save({"weights": 1}, folder / "other.pt")
    torch.save({"model": small_network(16).state_dict()}, folder / "small.pt")
    torch.save(1, folder / "number.pt")
    weights = small_network().state_dict()
    weights["cluster.bias"][0] = float("nan")
    torch.save({"model": weights}, folder / "nan.pt")
    strange = {"model": small_network().state_dict(), "words": "\n".join(["zyx"] * 15)}
    torch.save(strange, folder / "strange.pt")


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["text.txt", "--weights", "1,2"], "2 weights for 1 texts; give one a text"),
        (["text.txt", "--weights", "x"], "--weights x: give a number"),
        (["text.txt", "--base", "none.lm"], "none.lm: there is no such language model file"),
        (["text.txt", "--clusters", "6,20"], "give smaller numbers"),
        (["text.txt", "--clusters", "6"], "3 sizes of embeddings for 2 clusters"),
        (["text.txt", "--clusters", "six"], "--clusters six: give whole numbers"),
        (["none.txt"], "none.txt: cannot read the text"),
        (["short.txt"], "short.txt has no more than 4 words"),
        (["text.txt", "--dev-text", "none"], "none: cannot read the text"),
        (["text.txt", "--init", "none.pt"], "none.pt: there is no such checkpoint"),
        (["text.txt", "--init", "small.pt"], "tables.2 has 6 x 4 and not 7 x 4 numbers"),
        (["text.txt", "--init", "other.pt"], "other.pt holds no neural language model"),
        (["text.txt", "--init", "nan.pt"], "cluster.bias holds values that are no numbers"),
        (["text.txt", "--out", "no/run/run"], "language-model.lm is a folder"),
    ],
)
def test_unusable_for_training(
    run_command_line: Callable[..., tuple[int, str, str]],
    base: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    problem: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    _spoil(tmp_path)
    (tmp_path / "no" / "run" / "run" / "language-model.lm").mkdir(parents=True)
    files = ["--base", base, "--out", "run", *SMALL, "--train-words", "1"]
    code, _, errors = run_command_line(main, "neural-language-model", *files, *arguments)
    assert code == 1
    assert problem in errors.splitlines()[-1]
    assert "Traceback" not in errors
    assert not (tmp_path / "run" / "language-model.lm").exists()


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["none.pt", "base.lm"], "none.pt: there is no such checkpoint"),
        (["broken.pt", "base.lm"], "broken.pt is damaged or no checkpoint of PyTorch"),
        (["number.pt", "base.lm"], "number.pt holds no neural language model"),
        (["strange.pt", "text.txt"], "text.txt: is not a language model"),
        (["strange.pt", "none.lm"], "none.lm: there is no such language model file"),
        (["strange.pt", "base.lm"], "does not know 15 of the network's 15 words, such as 'zyx'"),
        (["nan.pt", "base.lm"], "holds values that are no numbers"),
        (["wordless.pt", "base.lm"], "wordless.pt does not say which words it knows"),
    ],
)
def test_unusable_for_a_file(
    run_command_line: Callable[..., tuple[int, str, str]],
    base: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    problem: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    _spoil(tmp_path)
    torch.save({"model": small_network().state_dict()}, "wordless.pt")
    Path("base.lm").write_bytes(base.read_bytes())
    code, _, errors = run_command_line(main, "add-neural-language-model", *arguments, "out.lm")
    assert code == 1
    assert problem in errors.splitlines()[-1]
    assert "Traceback" not in errors
    assert not Path("out.lm").exists()


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
