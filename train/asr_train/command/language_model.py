"""``asr-train language-model``."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from asr_runtime.standard_streams import shown_name
from asr_train.errors import ConfigError
from asr_train.ngram.counting import MAX_COUNTED_ORDER
from asr_train.output import check_writable

if TYPE_CHECKING:
    from asr_train.ngram.building import BuildReport
    from asr_train.ngram.converting import ConversionReport
    from asr_train.ngram.perplexity import Perplexity


def language_model(
    texts: Annotated[
        list[Path],
        typer.Argument(
            metavar="TEXT...",
            help="One sentence a line; plain, .xz, .gz, or .jsonl manifests. Or one model, .arpa "
            "(.gz, .xz) or .lm, to convert.",
        ),
    ],
    out: Annotated[Path, typer.Option(help="File to write.")],
    order: Annotated[
        int, typer.Option(min=2, max=MAX_COUNTED_ORDER, help="Words of the longest n-grams.")
    ] = 3,
    vocabulary: Annotated[
        int, typer.Option(min=1, max=65_534, help="Number of words, the most frequent ones.")
    ] = 50_000,
    rare_words: Annotated[
        int,
        typer.Option(
            min=0,
            help="Number of further words, without n-grams, which share the probability of unknown "
            "ones.",
        ),
    ] = 0,
    minimum_count: Annotated[int, typer.Option(min=1, help="Leave rarer words out.")] = 2,
    max_megabytes: Annotated[
        float, typer.Option(min=0.001, help="Prune until the file is no larger (10^6 bytes).")
    ] = 8.0,
    cut_offs: Annotated[
        str,
        typer.Option(
            help="How often n-grams of 2, 3, … words must occur: 1,2 leaves out those of three "
            "words that occur once. Large texts need it for memory."
        ),
    ] = "",
    weights: Annotated[
        str, typer.Option(help="Mix models of each text with such weights: 0.7,0.3.")
    ] = "",
    weights_text: Annotated[
        Path | None,
        typer.Option(help="Mix models of each text as this text, which none of them has, likes."),
    ] = None,
    exclude: Annotated[
        Path | None,
        typer.Option(help="File of words that are unknown ones, however frequent; one a line."),
    ] = None,
    also: Annotated[
        list[str] | None,
        typer.Option(help="MEGABYTES=FILE: a further file of the same texts. Repeatable."),
    ] = None,
    pronunciations: Annotated[
        bool,
        typer.Option(
            help="Say in the file how its words are spoken, 6 bytes a word, for models "
            "that know phonemes."
        ),
    ] = True,
    lexicon: Annotated[
        Path | None,
        typer.Option(help="Pronunciations of your own (word PH PH …), before CMUdict's."),
    ] = None,
    arpa: Annotated[
        Path | None,
        typer.Option(help="Write the model as an ARPA file, too, for other programs."),
    ] = None,
    dev_text: Annotated[
        list[Path] | None,
        typer.Option(help="Text to report the perplexity of; the model never sees it. Repeatable."),
    ] = None,
    source: Annotated[str, typer.Option(help="Where the text is from, for the file.")] = "",
    licence: Annotated[str, typer.Option(help="The text's licence, for the file.")] = "",
) -> None:
    """Build a word n-gram model for the runtime's beam search (modified Kneser-Ney)."""
    from asr_runtime.language.language_model_file import MAX_READABLE_ORDER
    from asr_train.ngram.building import BuildSettings, build_language_model
    from asr_train.ngram.converting import convert_language_model, is_model

    check_writable(out)
    further = [_further(text) for text in also or []]
    for path in [*(path for path, _ in further), *([arpa] if arpa is not None else [])]:
        check_writable(path)
    dev_texts, size = dev_text or [], round(max_megabytes * 1e6)
    if any(is_model(path) for path in texts):
        if len(texts) > 1:
            raise ConfigError("a model is converted by itself; give no other model or text with it")
        converted = convert_language_model(
            *(texts[0], out, size, order, dev_texts, arpa),
            *(source, licence, pronunciations, lexicon),
        )
        _echo_conversion(converted, out, dev_texts)
        if converted.without_network:
            typer.echo(
                f"{out} is without the neural network of {texts[0]}; "
                "asr-train add-neural-language-model adds one"
            )
        return
    if order > MAX_READABLE_ORDER and arpa is None:
        raise ConfigError(
            f"the runtime reads n-grams of up to {MAX_READABLE_ORDER} words; for longer ones "
            "give --arpa, for other programs"
        )
    if weights and weights_text is not None:
        raise ConfigError("--weights and --weights-text exclude each other; give one")
    settings = BuildSettings(
        order,
        vocabulary,
        minimum_count,
        size,
        source,
        licence,
        _cut_offs(cut_offs, order),
        parse_weights(weights),
        _excluded(exclude),
        pronunciations,
        lexicon,
        rare_words,
    )
    report = build_language_model(texts, out, settings, dev_texts, weights_text, further, arpa)
    _echo_report(report, texts, dev_texts, order > MAX_READABLE_ORDER)


def parse_weights(text: str) -> tuple[float, ...]:
    """Read the weights of texts, such as ``0.7,0.3``.

    Raises:
        ConfigError: The text is no list of weights.
    """
    try:
        found = tuple(float(part) for part in text.split(",") if text)
    except ValueError:
        found = (-1.0,)
    if not all(0 <= weight < math.inf for weight in found) or (found and not sum(found)):
        raise ConfigError(f"--weights {text}: give a number from 0 for each text")
    return found


def _echo_conversion(report: ConversionReport, out: Path, dev_texts: list[Path]) -> None:
    for number, (read, kept) in enumerate(zip(report.read, report.kept, strict=True), 1):
        typer.echo(f"{number}-grams: {read:,} read, {kept:,} kept")
    echo_perplexities(dev_texts, report.after, report.before)
    typer.echo(f"wrote {shown_name(out)}, {report.size / 1e6:.2f} MB")


def _echo_report(
    report: BuildReport, texts: list[Path], dev_texts: list[Path], unread: bool
) -> None:
    typer.echo(f"read {report.corpus}")
    typer.echo(
        f"vocabulary: {report.vocabulary:,} words, {100 * report.coverage:.2f} % of the text"
    )
    if report.weights:
        shown = (f"{path} {w:.3f}" for path, w in zip(texts, report.weights, strict=True))
        typer.echo(f"weights: {', '.join(shown)}")
    for file in report.files:
        note = f" (n-grams of {len(file.kept)} words: not for the runtime)" if unread else ""
        typer.echo(f"wrote {shown_name(file.path)}, {file.size / 1e6:.2f} MB{note}")
        for number, (counted, kept) in enumerate(zip(report.counted, file.kept, strict=True), 1):
            typer.echo(f"{number}-grams: {counted:,} counted, {kept:,} kept")
        echo_perplexities(dev_texts, file.perplexities, report.unpruned)


def _further(text: str) -> tuple[Path, int]:
    megabytes, _, path = text.partition("=")
    try:
        size = round(float(megabytes) * 1e6)
    except (ValueError, OverflowError):
        size = 0
    if size < 1 or not path:
        raise ConfigError(f"--also {text}: write for example 8=small.lm")
    return Path(path), size


def echo_perplexities(
    texts: list[Path],
    after: list[Perplexity],
    before: list[Perplexity],
    earlier: str = "before pruning",
) -> None:
    """Print perplexities of some texts, and what they were earlier."""
    for path, now, then in zip(texts, after, before, strict=True):
        typer.echo(
            f"perplexity of {path}: {now.perplexity:.1f} ({then.perplexity:.1f} {earlier}), "
            f"{100 * now.unknown:.2f} % unknown words"
        )


def _cut_offs(text: str, order: int) -> tuple[int, ...]:
    try:
        found = tuple(int(part) for part in text.split(",") if text)
    except ValueError:
        found = (0,)
    if len(found) >= order or list(found) != sorted(found) or min(found, default=1) < 1:
        raise ConfigError(
            f"--cut-offs {text}: give at most {order - 1} numbers from 1, none smaller than the "
            "one before it"
        )
    return found


def _excluded(path: Path | None) -> frozenset[bytes]:
    if path is None:
        return frozenset()
    try:
        return frozenset(path.read_bytes().split())
    except OSError as error:
        raise ConfigError(f"{path}: cannot read the words: {error.strerror}") from None
