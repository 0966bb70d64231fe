"""``asr-train lexicon``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from asr_train.errors import DataError
from asr_train.output import check_writable, replacing


def lexicon(
    texts: Annotated[
        list[Path],
        typer.Argument(
            metavar="TEXT_OR_MANIFEST...",
            help="Texts or lists of words, plain, .xz or .gz, or .jsonl manifests.",
        ),
    ],
    out: Annotated[Path, typer.Option(help="File to write: word PH PH PH.")],
    minimum_count: Annotated[int, typer.Option(min=1, help="Leave rarer words out.")] = 1,
    report: Annotated[
        Optional[Path],  # noqa: UP045 - typer reads it at run time on Python 3.10
        typer.Option(help="Also list here the words that could not be pronounced."),
    ] = None,
) -> None:
    """Pronounce all words of texts, by CMUdict and by rules."""
    from asr_train.pronunciation.cmudict import read_cmudict
    from asr_train.pronunciation.lexicon import count_words, make_lexicon, write_lexicon

    for path in (out, report):
        if path is not None:
            check_writable(path)
    dictionary = read_cmudict()
    counts = count_words(texts)
    made = make_lexicon((word for word in counts if counts[word] >= minimum_count), dictionary)
    if not made.words:
        raise DataError("none of the words could be pronounced; is the text English?")
    with replacing(out) as partial:
        write_lexicon(partial, made.words)
    unknown = sorted(made.unknown, key=lambda word: (-counts[word], word))
    if report is not None:
        with replacing(report) as partial:
            partial.write_text("".join(f"{word} {counts[word]}\n" for word in unknown))
    variants = sum(map(len, made.words.values()))
    sources = ", ".join(f"{number:,} by {source}" for source, number in made.sources.items())
    typer.echo(f"wrote {out}: {len(made.words):,} words ({sources}), {variants:,} pronunciations")
    if unknown:
        said, total = sum(counts[word] for word in unknown), counts.total()
        typer.echo(
            f"{len(unknown):,} words, {100 * said / total:.2f} % of the text, could not be "
            f"pronounced: {' '.join(unknown[:10])}{' ...' if len(unknown) > 10 else ''}"
        )
