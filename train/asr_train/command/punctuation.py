"""``asr-train punctuation`` and ``asr-train punctuation-evaluate``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from asr_train.errors import DataError, OutputError
from asr_train.output import check_writable, replacing

if TYPE_CHECKING:
    from asr_train.punctuation.corpus import AnnotatedCorpus

_HELD_OUT = 40
_MODEL = "punctuation.onnx"


def punctuation(
    texts: Annotated[
        list[Path],
        typer.Argument(
            metavar="TEXT...",
            help="Books as printed, plain, .xz or .gz, or folders of them; a file may hold several "
            "with a form feed after each.",
        ),
    ],
    out: Annotated[Path, typer.Option(help="Folder for the run and the model.")],
    held_out: Annotated[
        int, typer.Option(min=0, help="Keep one book in so many apart to measure on; 0: none.")
    ] = _HELD_OUT,
    max_words: Annotated[
        int | None, typer.Option(min=1, help="Read no more than so many words.")
    ] = None,
    train_words: Annotated[
        float, typer.Option(min=1, help="Words to learn from, counting repetitions.")
    ] = 40e6,
    minutes: Annotated[
        float | None, typer.Option(min=0.01, help="End after so long, if that is earlier.")
    ] = None,
    words: Annotated[int, typer.Option(min=1, help="Words with embeddings of their own.")] = 14_000,
    names: Annotated[int, typer.Option(min=0, help="Further words known as names.")] = 25_000,
    rare: Annotated[
        int, typer.Option(min=0, help="Further words known as no names; 0: unknown words are none.")
    ] = 120_000,
    word_texts: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="TEXT", help="Find names and rare words here too; nothing else is learned."
        ),
    ] = None,
    channels: Annotated[int, typer.Option(min=1, help="Width of the network.")] = 112,
    embedding: Annotated[int, typer.Option(min=1, help="Numbers of an embedding.")] = 48,
    batch_rows: Annotated[int, typer.Option(min=1, help="Rows of 160 words in a step.")] = 48,
    learning_rate: Annotated[float, typer.Option(help="Its peak.")] = 3e-3,
    seed: int = 1,
    source: Annotated[
        str, typer.Option(help="Sentence for the model's card: which texts, and their licence.")
    ] = "",
    resume: Annotated[bool, typer.Option("--resume", help="Go on where --out stopped.")] = False,
) -> None:
    """Train a model that puts commas, full stops, question marks and capitals into words."""
    from asr_train.punctuation.decision import choose_penalties
    from asr_train.punctuation.encoding import encode
    from asr_train.punctuation.model_writing import write_model
    from asr_train.punctuation.network import PunctuationConfig
    from asr_train.punctuation.run_folder import (
        CHECKPOINT,
        PreparedText,
        load_prepared,
        save_prepared,
    )
    from asr_train.punctuation.training import PunctuationTraining, train
    from asr_train.punctuation.word_choice import choose_words
    from asr_train.punctuation.word_counts import count_words

    config = PunctuationConfig(words, names, rare, embedding, channels)
    training = PunctuationTraining(
        words=train_words,
        minutes=minutes,
        batch_rows=batch_rows,
        learning_rate=learning_rate,
        seed=seed,
    )
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot make the folder {out}: {error.strerror}") from None
    check_writable(out / _MODEL)
    prepared = load_prepared(out) if resume else None
    if prepared is None:
        corpus = _read(texts, held_out, max_words)
        further = count_words(word_texts, held_out) if word_texts else None
        table = choose_words(corpus, words, names, rare, further)
        prepared = PreparedText(encode(corpus, table, further), table, corpus.books)
        save_prepared(out, prepared)
        del corpus
    table = prepared.table
    typer.echo(
        f"{prepared.books:,} books, {len(prepared.text.rows):,} words; the model knows "
        f"{len(table.words):,} words, and {len(table.rare):,} rare ones from names"
    )
    network = train(
        prepared.text,
        config,
        training,
        table.rows,
        out / CHECKPOINT,
        resume=resume,
        report=typer.echo,
    )
    size = write_model(
        network,
        table,
        out / _MODEL,
        choose_penalties(network, prepared.text),
        {
            "source": source,
            "books": prepared.books,
            "words": len(prepared.text.rows),
            "held_out": held_out,
        },
    )
    typer.echo(
        f"wrote {out / _MODEL}, {size / 1e6:.2f} MB; score it with: "
        f"asr-train punctuation-evaluate {out / _MODEL} TEXT... --held-out {held_out}"
    )


def punctuation_evaluate(
    model: Annotated[Path, typer.Argument(help="The model, a .onnx file.")],
    texts: Annotated[
        list[Path], typer.Argument(metavar="TEXT...", help="Books as printed, as for training.")
    ],
    held_out: Annotated[
        int, typer.Option(min=0, help="Take one book in so many, as for training; 0: all.")
    ] = _HELD_OUT,
    max_words: Annotated[int | None, typer.Option(min=1, help="Stop after so many words.")] = None,
    examples: Annotated[int, typer.Option(min=0, help="Paragraphs to show.")] = 0,
    json_out: Annotated[
        Path | None, typer.Option("--json", help="Also write the figures here.")
    ] = None,
) -> None:
    """F1 of every sign and of capital letters on books that the model has not seen."""
    from asr_runtime.errors import AsrRuntimeError
    from asr_runtime.readable_text.punctuation_model import load_punctuation_model
    from asr_train.punctuation.corpus import is_held_out, read_books
    from asr_train.punctuation.evaluation import evaluate_books

    if json_out is not None:
        check_writable(json_out)
    try:
        loaded = load_punctuation_model(model)
    except AsrRuntimeError as error:
        raise DataError(str(error)) from None
    books = (book for book in read_books(texts) if not held_out or is_held_out(book, held_out))
    scores = evaluate_books(loaded, books, max_words, examples, typer.echo)
    typer.echo(str(scores))
    if json_out is not None:
        with replacing(json_out) as partial:
            partial.write_text(json.dumps(scores.to_dict(), indent=1) + "\n", encoding="utf-8")


def _read(texts: list[Path], held_out: int, max_words: int | None) -> AnnotatedCorpus:
    from tqdm import tqdm

    from asr_train.punctuation.corpus import read_corpus

    with tqdm(total=max_words, unit=" words", unit_scale=True, disable=None) as bar:
        return read_corpus(texts, held_out, max_words, lambda number: bar.update(number - bar.n))
