"""From text files to a language model file."""

from __future__ import annotations

import datetime
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tqdm import tqdm

from asr_train.errors import DataError
from asr_train.ngram.corpus import CorpusReport, read_blocks, total_bytes
from asr_train.ngram.counting import choose_vocabulary, count_ngrams
from asr_train.ngram.kneser_ney import estimate
from asr_train.ngram.perplexity import Perplexity, perplexity
from asr_train.ngram.pruning import prune
from asr_train.ngram.writing import file_size, write_language_model
from asr_train.output import replacing


@dataclass(frozen=True)
class BuildSettings:
    """What to build.

    order: words of the longest n-grams, 2 or 3.
    vocabulary: number of words, the most frequent ones that occur `minimum_count` times or more.
    max_bytes: of the file; n-grams are pruned until it fits.
    source, licence: described in the file.
    """

    order: int = 3
    vocabulary: int = 50_000
    minimum_count: int = 2
    max_bytes: int = 8_000_000
    source: str = ""
    licence: str = ""


@dataclass(frozen=True)
class BuildReport:
    """What was built: perplexities of the development text before and after pruning."""

    corpus: CorpusReport
    vocabulary: int
    coverage: float
    counted: list[int]
    kept: list[int]
    size: int
    unpruned: Perplexity | None
    pruned: Perplexity | None


def build_language_model(
    texts: list[Path], out: Path, settings: BuildSettings, dev_text: Path | None = None
) -> BuildReport:
    """Count, smooth, prune and write a language model.

    texts: as `read_blocks` reads them. `dev_text` is scored and otherwise unused.

    Raises:
        DataError: texts that cannot be used, or a size that the words alone exceed.
        OutputError: the file cannot be written.
    """
    dev_blocks = list(read_blocks([dev_text], CorpusReport())) if dev_text else []
    size = total_bytes(texts)
    with tqdm(total=2 * size, unit="B", unit_scale=True, desc="counting words") as bar:
        corpus = CorpusReport()
        frequencies: Counter[bytes] = Counter()
        for block in read_blocks(texts, corpus, bar.update):
            frequencies.update(block.split())
        vocabulary = choose_vocabulary(frequencies, settings.vocabulary, settings.minimum_count)
        covered = sum(frequencies[word] for word in vocabulary.words)
        del frequencies
        bar.set_description("reading again")
        ids = vocabulary.encode(read_blocks(texts, CorpusReport(), bar.update))
        bar.set_description(f"counting {settings.order}-grams")
        counted = [count_ngrams(ids, order) for order in range(1, settings.order + 1)]
        del ids
        numbers = [len(level.keys) for level in counted]
        bar.set_description("smoothing")
        model = estimate(counted, vocabulary.size)
        del counted
        dev = vocabulary.encode(dev_blocks)
        unpruned = perplexity(model, dev) if dev_text else None
        bar.set_description("pruning")
        word_bytes = sum(map(len, vocabulary.words)) + len(vocabulary.words) - 1
        try:
            model = prune(model, lambda *sizes: file_size(word_bytes, *sizes) <= settings.max_bytes)
        except ValueError:
            raise DataError(
                f"the {len(vocabulary.words):,} words alone take more than "
                f"{settings.max_bytes / 1e6:g} MB; allow more or fewer words"
            ) from None
        pruned = perplexity(model, dev) if dev_text else None
        bar.set_description("writing")
        description: dict[str, Any] = {
            "source": settings.source or ", ".join(path.name for path in texts),
            "licence": settings.licence,
            "created": datetime.datetime.now(datetime.timezone.utc).date().isoformat(),
            "corpus": {"lines": corpus.lines, "words": corpus.words},
            "smoothing": "interpolated modified Kneser-Ney, relative-entropy pruning",
        }
        if pruned is not None:
            description["dev_perplexity"] = round(pruned.perplexity, 2)
        with replacing(out) as partial:
            write_language_model(partial, model, vocabulary, description)
        bar.set_description("done")
    return BuildReport(
        corpus,
        len(vocabulary.words),
        covered / corpus.words,
        numbers,
        [len(level.keys) for level in model.orders],
        out.stat().st_size,
        unpruned,
        pruned,
    )
