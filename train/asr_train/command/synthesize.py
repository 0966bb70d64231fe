"""``asr-train synthesize``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from asr_runtime.standard_streams import shown_name
from asr_train.synthesis.engines import Engine


def synthesize(
    text: Annotated[Path, typer.Argument(help="Sentences, one a line; plain or .xz.")],
    out: Annotated[Path, typer.Option(help="Folder for the audio and the manifest.")],
    hours: Annotated[float, typer.Option(min=0, help="How much speech.")],
    engine: Annotated[Engine, typer.Option(help="Which engine speaks.")] = Engine.hibari,
    max_words: Annotated[int, typer.Option(min=1, help="Skip longer lines.")] = 30,
    seed: int = 1,
) -> None:
    """Make training data with a text-to-speech engine; go on where an earlier call stopped."""
    from asr_train.synthesis.corpus import CorpusConfig, make_corpus, read_sentences
    from asr_train.synthesis.engines import load_engine

    config = CorpusConfig(hours=hours, seed=seed, max_words=max_words)
    sentences = read_sentences(text, config)
    manifest = make_corpus(sentences, load_engine(engine), engine.value, out, config)
    typer.echo(f"wrote {shown_name(manifest)}")
