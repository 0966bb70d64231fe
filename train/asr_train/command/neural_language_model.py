"""``asr-train neural-language-model`` and ``asr-train add-neural-language-model``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from asr_runtime.standard_streams import shown_name
from asr_train.command.language_model import parse_weights
from asr_train.errors import ConfigError, DataError, OutputError
from asr_train.output import check_writable

if TYPE_CHECKING:
    from asr_train.neural_lm.encoded_texts import EncodedTexts
    from asr_train.neural_lm.known_words import KnownWords
    from asr_train.neural_lm.network import WordNetworkConfig
    from asr_train.neural_lm.processes import Processes

_MODEL = "language-model.lm"

_Source = Annotated[
    str, typer.Option(help="Sentence for the file: which texts the network learned from.")
]


def neural_language_model(
    texts: Annotated[
        list[Path],
        typer.Argument(
            metavar="TEXT...", help="One sentence a line; plain, .xz, .gz, or .jsonl manifests."
        ),
    ],
    base: Annotated[
        Path, typer.Option(help="The n-gram model, .lm, whose words the network learns.")
    ],
    out: Annotated[Path, typer.Option(help="Folder for the run and the model.")],
    weights: Annotated[
        str, typer.Option(help="Learn from the texts in these parts: 0.7,0.3. By size without it.")
    ] = "",
    vocabulary: Annotated[
        int,
        typer.Option(
            min=3,
            max=65_536,
            help="Number of words, the most probable ones; the sentence's end and the unknown word "
            "are two of them.",
        ),
    ] = 40_000,
    clusters: Annotated[
        str, typer.Option(help="Number of the words at which clusters of rarer ones begin.")
    ] = "2500,12000",
    embeddings: Annotated[
        str, typer.Option(help="Numbers of an embedding in each cluster, the first one included.")
    ] = "128,64,32",
    hidden: Annotated[int, typer.Option(min=1, help="Numbers of the GRU's state.")] = 512,
    minutes: Annotated[
        float, typer.Option(min=0.01, help="Time to learn; the rate falls by the clock.")
    ] = 85.0,
    train_words: Annotated[
        float | None,
        typer.Option(min=1, help="End after so many words, repeated ones too, if that is earlier."),
    ] = None,
    batch_rows: Annotated[
        int,
        typer.Option(min=1, help="Windows of 40 words in a step, of all processes together."),
    ] = 128,
    learning_rate: Annotated[float, typer.Option(help="Its peak.")] = 3e-3,
    dev_text: Annotated[
        list[Path] | None,
        typer.Option(help="Text to report perplexities of; nothing learns from it. Repeatable."),
    ] = None,
    seed: int = 1,
    init: Annotated[
        Path | None,
        typer.Option(help="Start from the weights of this checkpoint, unless --resume has others."),
    ] = None,
    source: _Source = "",
    resume: Annotated[bool, typer.Option("--resume", help="Go on where --out stopped.")] = False,
) -> None:
    """Train a small network over words and write the n-gram model's file with it.

    Under torchrun several processes share each step.
    """
    from asr_train.neural_lm.checkpoint import CHECKPOINT
    from asr_train.neural_lm.evaluation import perplexities, read_sentences
    from asr_train.neural_lm.int8_rows import rounded_network
    from asr_train.neural_lm.known_words import most_probable_words, open_base
    from asr_train.neural_lm.model_writing import add_network
    from asr_train.neural_lm.network import FIRST_ROW
    from asr_train.neural_lm.processes import joined_processes
    from asr_train.neural_lm.training import WordNetworkTraining, train

    training = WordNetworkTraining(
        minutes, train_words, batch_rows, learning_rate, parse_weights(weights), seed
    )
    known = most_probable_words(base, vocabulary - FIRST_ROW)
    config = _config(clusters, embeddings, hidden, known)
    if training.weights and len(training.weights) != len(texts):
        raise DataError(f"{len(training.weights)} weights for {len(texts)} texts; give one a text")
    dev_texts = [(path, read_sentences(path)) for path in dev_text or []]
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot make the folder {out}: {error.strerror}") from None
    check_writable(out / _MODEL)
    source = source or ", ".join(path.name for path in texts)
    with joined_processes() as processes:
        network = train(
            _encoded(texts, known, out, processes, resume),
            known,
            config,
            training,
            out / CHECKPOINT,
            source=source,
            initial=init,
            resume=resume,
            processes=processes,
            report=typer.echo if processes.is_first else lambda line: None,
        )
    if not processes.is_first:
        return
    size = add_network(network, known, base, out / _MODEL, source)
    typer.echo(f"wrote {shown_name(out / _MODEL)}, {size / 1e6:.2f} MB")
    ngrams, rounded = open_base(base), rounded_network(network)
    for path, sentences in dev_texts:
        found = perplexities(rounded, known, ngrams, sentences)
        typer.echo(f"perplexity of {path} over {found}")


def add_neural_language_model(
    network: Annotated[
        Path, typer.Argument(help="Folder of a run of neural-language-model, or its checkpoint.")
    ],
    base: Annotated[Path, typer.Argument(metavar="BASE", help="The n-gram model, .lm.")],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="File to write.")],
    source: _Source = "",
) -> None:
    """Write an n-gram model's file with a trained network in it; what it has is kept."""
    from asr_train.neural_lm.checkpoint import load_network
    from asr_train.neural_lm.model_writing import add_network

    check_writable(out)
    trained = load_network(network)
    size = add_network(trained.network, trained.words, base, out, source or trained.source)
    typer.echo(f"wrote {shown_name(out)}, {size / 1e6:.2f} MB")


def _encoded(
    texts: list[Path], known: KnownWords, folder: Path, processes: Processes, resume: bool
) -> EncodedTexts:
    """Return the texts, which the first process reads if the run's folder does not have them."""
    from asr_train.neural_lm.encoded_texts import encode_texts, load_texts

    found = None
    if processes.is_first:
        found = load_texts(folder, known, texts) if resume else None
        if found is None:
            found = encode_texts(texts, known, folder)
        for name, rows, unknown in zip(found.names, found.rows, found.unknown, strict=True):
            typer.echo(
                f"{name}: {len(rows):,} words and sentence ends, {100 * unknown:.2f} % of the "
                "words unknown"
            )
    processes.wait()
    found = found or load_texts(folder, known, texts)
    if found is None:
        raise DataError(
            f"{folder} has no texts that the first process wrote; all need the same disk"
        )
    return found


def _config(clusters: str, embeddings: str, hidden: int, known: KnownWords) -> WordNetworkConfig:
    from asr_train.neural_lm.network import WordNetworkConfig

    edges = (0, *_numbers("--clusters", clusters), known.rows)
    return WordNetworkConfig(edges, _numbers("--embeddings", embeddings), hidden)


def _numbers(option: str, text: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise ConfigError(f"{option} {text}: give whole numbers, such as 2500,12000") from None
