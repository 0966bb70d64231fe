"""Training of a punctuation model, from books to a file that the runtime reads."""

from __future__ import annotations

import json
import random
from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from asr_runtime.readable_text.annotation import Case, Sign
from asr_runtime.readable_text.punctuation_model import load_punctuation_model
from asr_runtime.readable_text.word_table import WordTable
from asr_train.cli import app
from asr_train.errors import DataError
from asr_train.punctuation.corpus import is_held_out, read_corpus
from asr_train.punctuation.decision import Penalties, choose_penalties
from asr_train.punctuation.encoding import EncodedText, encode
from asr_train.punctuation.model_writing import write_model
from asr_train.punctuation.network import PunctuationConfig, PunctuationNetwork
from asr_train.punctuation.training import ROW_WORDS, sentence_rows
from asr_train.punctuation.word_choice import choose_words
from asr_train.punctuation.word_counts import count_words

SUBJECTS = ("the dog", "the old man", "Anna", "he", "McDonald")
PLACES = ("London", "the garden", "Paris", "a house")
SMALL = [
    "--words", "40", "--names", "5", "--rare", "5", "--channels", "16", "--embedding", "8",
    "--train-words", "60000", "--batch-rows", "4", "--held-out", "3", "--learning-rate", "0.02",
]  # fmt: skip


def write_books(folder: Path, number: int = 8, sentences: int = 400) -> list[str]:
    """Books of a tiny language whose signs and capital letters follow from its words."""
    folder.mkdir(exist_ok=True)
    random_numbers = random.Random(5)
    books = []
    for index in range(number):
        said = []
        for _ in range(sentences):
            subject, place = random_numbers.choice(SUBJECTS), random_numbers.choice(PLACES)
            kind = random_numbers.randrange(3)
            if kind == 0:
                said.append(f"Does {subject} live in {place}?")
            elif kind == 1:
                said.append(f"{subject[0].upper()}{subject[1:]} went to {place}, but I saw it.")
            else:
                said.append(f"{subject[0].upper()}{subject[1:]} came from {place}.")
        books.append(f"Book {index} is here.\n\n" + "\n\n".join(said))
        (folder / f"{index}.txt").write_text(books[-1], encoding="utf-8")
    return books


def run(*arguments: object, status: int = 0) -> str:
    result = CliRunner().invoke(app, list(map(str, arguments)))
    if result.exception is not None and status == 0:
        raise result.exception
    return result.output


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("punctuation")
    write_books(folder / "books")
    (folder / "more.txt").write_text("Yet the zebra saw it. " * 3, encoding="utf-8")
    more = ("--source", "a test", "--word-texts", folder / "more.txt")
    run("punctuation", folder / "books", "--out", folder / "run", *SMALL, *more)
    return folder


def test_a_trained_model_does_well_on_books_that_were_kept_apart(trained: Path) -> None:
    figures = trained / "figures.json"
    model = trained / "run" / "punctuation.onnx"
    output = run(
        "punctuation-evaluate", model, trained / "books", "--held-out", 3, "--json", figures
    )
    found = json.loads(figures.read_text())
    assert found["full_stop"]["f1"] > 0.9
    assert found["comma"]["f1"] > 0.9
    assert found["question_mark"]["f1"] > 0.9
    assert found["capital_letters"]["f1"] > 0.95
    assert found["capital_letters_by_true_signs"]["f1"] >= found["capital_letters"]["f1"]
    assert "full stop ." in output
    kept_apart = sum(is_held_out(path.read_text(), 3) for path in (trained / "books").iterdir())
    assert 0 < found["books"] == kept_apart < 8


def test_the_card_says_what_the_model_was_trained_on(trained: Path) -> None:
    card = load_punctuation_model(trained / "run" / "punctuation.onnx").card
    assert card.training["source"] == "a test"
    assert card.words_ahead == PunctuationConfig().words_ahead == 10
    assert "McDonald" in card.words.split()
    assert "zebra" in card.rare


def test_training_goes_on_where_it_stopped(trained: Path) -> None:
    longer = [*SMALL, "--train-words", "62000", "--resume"]
    output = run("punctuation", trained / "books", "--out", trained / "run", *longer)
    assert "going on after 0.1 M words" in output


def test_a_file_says_what_its_network_says(tmp_path: Path) -> None:
    torch.manual_seed(1)
    table = WordTable(" ".join(f"w{index}" for index in range(50)), "anna")
    network = PunctuationNetwork(PunctuationConfig(50, 1, 0, 16, 32), table.rows).eval()
    write_model(network, table, tmp_path / "model.onnx", Penalties(0.5, 0.25), {})
    words = ["anna", "w3", "nobody's", *(f"w{index % 50}" for index in range(40))]
    found = load_punctuation_model(tmp_path / "model.onnx").annotate(words)
    with torch.inference_mode():
        rows = torch.tensor([[table.row(word) for word in words]])
        signs, cases = network(rows, torch.ones(rows.shape))
    expected_signs = torch.log_softmax(signs, -1)[0].numpy()
    expected_signs[:, Sign.NONE] -= 0.5
    expected_cases = torch.log_softmax(cases, -1)[0].numpy()
    expected_cases[:, Case.LOWER] -= 0.25
    # Weights are rounded to int8.
    assert np.abs(found.signs - expected_signs).max() < 0.05
    assert np.abs(found.cases - expected_cases).max() < 0.05


def test_frequent_classes_are_made_less_probable_until_f1_is_best() -> None:
    """Of words that a network holds to be capitals and ends with one probability each."""
    number = 4000
    random_numbers = np.random.default_rng(3)
    likely = random_numbers.uniform(0.02, 0.6, number)
    ends = random_numbers.random(number) < likely
    capitals = random_numbers.random(number) < likely
    text = EncodedText(
        np.arange(number, dtype=np.uint16),
        np.where(ends, Sign.FULL_STOP, Sign.NONE).astype(np.uint8),
        np.where(capitals, Case.CAPITALISED, Case.LOWER).astype(np.uint8),
        np.arange(number, dtype=np.uint16),
    )

    def network(rows: torch.Tensor, _: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        odds = torch.log(torch.tensor(likely / (1 - likely)))[rows]
        signs = torch.full((*rows.shape, len(Sign)), -20.0)
        signs[..., Sign.NONE], signs[..., Sign.FULL_STOP] = 0.0, odds
        cases = torch.full((*rows.shape, len(Case)), -20.0)
        cases[..., Case.LOWER], cases[..., Case.CAPITALISED] = 0.0, odds
        return signs, cases

    none, lower = choose_penalties(network, text)  # type: ignore[arg-type]
    # The best threshold is half of the best F1: here a quarter, whose odds are exp(-1.1).
    assert 0.6 <= none <= 1.5
    assert 0.6 <= lower <= 1.5


def test_a_word_depends_on_as_many_words_as_the_card_says() -> None:
    torch.manual_seed(1)
    config = PunctuationConfig(50, 0, 0, 16, 32)
    network = PunctuationNetwork(config, 50).eval()
    rows = torch.randint(0, 50, (1, 101))
    present = torch.ones(rows.shape)
    middle = 50
    with torch.inference_mode():
        before = network(rows, present)[0][0, middle]
        for at in range(101):
            changed = rows.clone()
            changed[0, at] = (changed[0, at] + 1) % 50
            same = torch.allclose(network(changed, present)[0][0, middle], before, atol=1e-7)
            assert same == (not middle - config.words_behind <= at <= middle + config.words_ahead)


def test_rows_are_whole_sentences() -> None:
    signs = np.zeros(1000, np.uint8)
    signs[[9, 99, 150, 170, 999]] = Sign.FULL_STOP
    rows = sentence_rows(signs)
    assert rows[:2].tolist() == [[0, 151], [151, 171]]
    assert (rows[:, 1] - rows[:, 0]).max() <= ROW_WORDS
    assert rows[0, 0] == 0
    assert (rows[1:, 0] == rows[:-1, 1]).all()
    assert rows[-1, 1] == 1000


def test_emphasis_in_capitals_is_no_case_of_the_word(tmp_path: Path) -> None:
    path = tmp_path / "book.txt"
    path.write_text("I did NOT go to the NATO office. You did not see NATO. " * 20 + "\n")
    corpus = read_corpus([path], 0)
    table = choose_words(corpus, 20, 0)
    text = encode(corpus, table)
    written = {table.words[row]: case for row, case in zip(text.rows, text.cases, strict=True)}
    assert (written["not"], written["Nato"]) == (0, 2)


def test_rare_words_are_told_from_names_by_texts_that_are_not_learned_from(tmp_path: Path) -> None:
    (tmp_path / "book.txt").write_text("We saw it with Anna there. " * 30, encoding="utf-8")
    other = "Then the zebra saw, quite near, a Quagga and Bell's quince. " * 3
    (tmp_path / "other.txt").write_text(other, encoding="utf-8")
    corpus = read_corpus([tmp_path / "book.txt"], 0)
    alone = choose_words(corpus, 6, 9, 9)
    table = choose_words(corpus, 6, 9, 9, count_words([tmp_path / "other.txt"], 0))
    assert "Anna" in table.words
    words = ("zebra", "quince", "quagga", "bell", "anna's", "unheard")
    assert [alone.is_name(word) for word in words] == [False, False, False, False, True, False]
    assert [table.is_name(word) for word in words] == [False, False, True, True, True, True]


def test_words_of_one_book_are_learned_as_unknown(tmp_path: Path) -> None:
    first = "We saw the zebra and the gnu. " * 5
    second = "We saw the gnu and the quince. " * 5
    (tmp_path / "a.txt").write_text(f"{first}\f{second}", encoding="utf-8")
    corpus = read_corpus([tmp_path / "a.txt"], 0)
    table = choose_words(corpus, 4, 9, 9)
    text = encode(corpus, table)
    said = "we saw the zebra and the gnu".split()  # noqa: SIM905 - a sentence
    by_word = dict(zip(said, text.rows[:7].tolist(), strict=True))
    assert by_word["gnu"] == table.row("gnu") == table.unknown_row("gnu", is_name=False)
    assert by_word["zebra"] == table.unknown_row("zebra", is_name=True) != table.row("zebra")
    assert by_word["saw"] == table.row("saw") < 4


def test_text_without_signs_cannot_be_learned_from(tmp_path: Path) -> None:
    path = tmp_path / "plain.txt"
    path.write_text("this is what a recogniser writes\n")
    with pytest.raises(DataError, match="give texts as they are printed"):
        read_corpus([path], 0)
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=r"holds no \.txt"):
        read_corpus([tmp_path / "empty"], 0)
