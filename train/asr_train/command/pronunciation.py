"""``asr-train lexicon`` and ``asr-train g2p``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from asr_runtime.standard_streams import shown_name
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
    g2p: Annotated[
        Path | None,
        typer.Option(help="Model for words outside of CMUdict; the runtime's if left out."),
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(help="Also list here the words that could not be pronounced."),
    ] = None,
) -> None:
    """Pronounce all words of texts: by CMUdict, by rules, and by a grapheme-to-phoneme model."""
    from asr_runtime.errors import ModelFileError
    from asr_runtime.language.grapheme_to_phoneme import load_grapheme_to_phoneme
    from asr_train.pronunciation.cmudict import read_cmudict
    from asr_train.pronunciation.lexicon import count_words, make_lexicon, spell, write_lexicon

    for path in (out, report):
        if path is not None:
            check_writable(path)
    dictionary = read_cmudict()
    try:
        model = load_grapheme_to_phoneme() if g2p is None else load_grapheme_to_phoneme(g2p)
    except ModelFileError as error:
        raise DataError(str(error)) from None
    counts = count_words(texts)
    wanted = [word for word in counts if counts[word] >= minimum_count]
    made = make_lexicon(wanted, dictionary, spell(model))
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
    typer.echo(
        f"wrote {shown_name(out)}: {len(made.words):,} words ({sources}), "
        f"{variants:,} pronunciations"
    )
    if unknown:
        said, total = sum(counts[word] for word in unknown), counts.total()
        typer.echo(
            f"{len(unknown):,} words, {100 * said / total:.2f} % of the text, could not be "
            f"pronounced: {' '.join(unknown[:10])}{' ...' if len(unknown) > 10 else ''}"
        )


def g2p(
    out: Annotated[Path, typer.Option(help="File to write.")],
    lexicon: Annotated[
        list[Path] | None,
        typer.Option(help="Learn from this lexicon (word PH PH PH), not CMUdict; repeatable."),
    ] = None,
    order: Annotated[int, typer.Option(min=2, max=9, help="Letters of the longest n-grams.")] = 8,
    max_kilobytes: Annotated[
        int, typer.Option(min=1, help="Prune until the file is no larger (10^3 bytes).")
    ] = 900,
    held_out: Annotated[
        int, typer.Option(min=0, help="Measure first without one word in so many; 0: do not.")
    ] = 20,
) -> None:
    """Train a grapheme-to-phoneme model: how words that no dictionary has are spoken."""
    from asr_train.pronunciation.cmudict import CMUDICT_NOTICE, read_cmudict
    from asr_train.pronunciation.g2p_training import G2pSettings, train_g2p
    from asr_train.pronunciation.lexicon import read_lexicon

    check_writable(out)
    if lexicon:
        dictionary: dict[str, tuple[bytes, ...]] = {}
        for path in lexicon:
            for word, spoken in read_lexicon(path).items():
                known = dictionary.get(word, ())
                dictionary[word] = tuple(dict.fromkeys(known + spoken))
        source = {"source": ", ".join(path.name for path in lexicon)}
    else:
        dictionary = read_cmudict()
        source = {"source": "CMUdict", "licence": CMUDICT_NOTICE}
    settings = G2pSettings(order, max_kilobytes * 1000, held_out)
    report = train_g2p(dictionary, out, settings, source, typer.echo)
    typer.echo(
        f"aligned {report.aligned:,} pronunciations, could not align {len(report.dropped):,}"
    )
    if report.rates is not None:
        rates = report.rates
        typer.echo(
            f"{rates.words:,} words kept apart: {100 * rates.phoneme_errors:.2f} % of phonemes and "
            f"{100 * rates.word_errors:.2f} % of words wrong; for {100 * rates.missed:.2f} % none "
            "of the three best is right"
        )
    ngrams = ", ".join(f"{number:,}" for number in report.ngrams)
    typer.echo(
        f"wrote {shown_name(out)}, {report.size / 1e6:.2f} MB: "
        f"{ngrams} n-grams of 1 to {order} letters"
    )
