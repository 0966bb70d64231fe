"""``asr-train adapt-language-model``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from asr_runtime.standard_streams import shown_name
from asr_train.command.language_model import echo_perplexities
from asr_train.output import check_writable


def adapt_language_model(
    base: Annotated[
        Path,
        typer.Argument(
            metavar="BASE", help="Language model, .lm, or english for the one in the package."
        ),
    ],
    texts: Annotated[
        list[Path],
        typer.Argument(
            metavar="TEXT...",
            help="What is said in your field: one sentence a line; plain, .xz, .gz, or .jsonl "
            "manifests.",
        ),
    ],
    out: Annotated[Path, typer.Option(help="File to write.")],
    weight: Annotated[
        float,
        typer.Option(
            min=0.01,
            max=0.99,
            help="Part of the texts in the mixture: more if little else is said.",
        ),
    ] = 0.5,
    max_megabytes: Annotated[
        float | None,
        typer.Option(
            min=0.001,
            help="Prune until the file is no larger (10^6 bytes).",
            show_default="no limit",
        ),
    ] = None,
    lexicon: Annotated[
        Path | None,
        typer.Option(
            help="Pronunciations of your own (word PH PH …), before the model's and CMUdict's."
        ),
    ] = None,
    dev_text: Annotated[
        list[Path] | None,
        typer.Option(help="Text to report the perplexity of; the model never sees it. Repeatable."),
    ] = None,
    source: Annotated[str, typer.Option(help="Where the texts are from, for the file.")] = "",
) -> None:
    """Adapt a language model to texts of your field; it needs none of the texts that it is from."""
    from asr_runtime.language.language_model_file import DEFAULT_LANGUAGE_MODEL
    from asr_train.ngram import adapting

    check_writable(out)
    packaged = str(base) == "english" and not base.exists()
    dev_texts = dev_text or []
    report = adapting.adapt_language_model(
        DEFAULT_LANGUAGE_MODEL if packaged else base,
        texts,
        out,
        weight,
        None if max_megabytes is None else round(max_megabytes * 1e6),
        lexicon,
        dev_texts,
        source,
    )
    typer.echo(f"read {report.corpus}")
    typer.echo(f"new words: {report.new:,}")
    echo_perplexities(dev_texts, report.after, report.before, "before adapting")
    typer.echo(f"wrote {shown_name(out)}, {report.size / 1e6:.2f} MB")
