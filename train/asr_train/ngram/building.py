"""From text files to a language model file."""

from __future__ import annotations

import contextlib
import datetime
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from asr_train.data.text import CorpusReport, read_blocks, total_bytes
from asr_train.errors import DataError
from asr_train.ngram.arpa import write_arpa
from asr_train.ngram.counting import Counts, count_ngrams
from asr_train.ngram.encoded_text import NumberedText, WordNumbers
from asr_train.ngram.kneser_ney import NgramModel, estimate
from asr_train.ngram.mixing import choose_weights, mix
from asr_train.ngram.perplexity import Perplexity, perplexity
from asr_train.ngram.pruning import Pruner
from asr_train.ngram.resmoothing import smooth_again
from asr_train.ngram.vocabulary import Ids, Vocabulary, choose_vocabulary
from asr_train.ngram.writing import largest_that_fits
from asr_train.output import replacing
from asr_train.pronunciation.packing import pronounce_vocabulary


@dataclass(frozen=True)
class BuildSettings:
    """What to build.

    Attributes:
        order: words of the longest n-grams, 2 to 4.
        vocabulary: number of words, the most frequent ones.
        minimum_count: words that occur less often are left out.
        max_bytes: size of the file; n-grams are pruned until it fits.
        source: where the text is from, stated in the file.
        licence: the text's licence, stated in the file.
        cut_offs: how often n-grams of order 2, 3, … must occur, as ``estimate`` takes them.
        weights: weight of each text, which has a model of its own then; none for one model of all
            texts together. They need not sum to one.
        exclude: words that are never in the vocabulary.
        pronounced: whether the file says how its words are spoken, which models need that know
            phonemes.
        lexicon: pronunciations for it, in place of the toolkit's.
        rare_words: number of further words, which n-grams do not know.
    """

    order: int = 3
    vocabulary: int = 50_000
    minimum_count: int = 2
    max_bytes: int = 8_000_000
    source: str = ""
    licence: str = ""
    cut_offs: tuple[int, ...] = ()
    weights: tuple[float, ...] = ()
    exclude: frozenset[bytes] = frozenset()
    pronounced: bool = False
    lexicon: Path | None = None
    rare_words: int = 0


@dataclass(frozen=True)
class WrittenModel:
    """A file that was written.

    Attributes:
        path: the file.
        kept: n-grams of each order.
        size: bytes.
        perplexities: perplexity of each development text.
    """

    path: Path
    kept: list[int]
    size: int
    perplexities: list[Perplexity]


@dataclass(frozen=True)
class BuildReport:
    """What was built.

    Attributes:
        corpus: what reading the texts found.
        vocabulary: number of words.
        coverage: share of the texts' words that are in the vocabulary, 0 to 1.
        counted: distinct n-grams of each order, summed over the texts of a mixture.
        weights: weights of the texts of a mixture, which sum to one.
        unpruned: perplexity of each development text before pruning.
        files: what was written.
    """

    corpus: CorpusReport
    vocabulary: int
    coverage: float
    counted: list[int]
    weights: list[float]
    unpruned: list[Perplexity]
    files: list[WrittenModel]


def build_language_model(
    texts: list[Path],
    out: Path,
    settings: BuildSettings,
    dev_texts: Sequence[Path] = (),
    weights_text: Path | None = None,
    also: Sequence[tuple[Path, int]] = (),
    arpa: Path | None = None,
) -> BuildReport:
    """Count, smooth, mix, prune and write a language model.

    Args:
        texts: files as ``read_blocks`` reads them. Numbers of words and n-grams are kept in a
            folder beside ``out`` while this runs, some 25 bytes per word of the texts.
        out: file to write.
        settings: what to build.
        dev_texts: texts that are scored and otherwise unused.
        weights_text: each text gets a model of its own, and they are mixed so that this text is
            most probable.
        also: further files of the same texts, and how many bytes each may have.
        arpa: where to write the model of ``out`` as an ARPA file too, not rounded to codes.

    Raises:
        DataError: texts that cannot be used, or a size that the words alone exceed.
        OutputError: the file cannot be written.
    """
    if settings.weights and len(settings.weights) != len(texts):
        raise DataError(f"{len(settings.weights)} weights for {len(texts)} texts; give one a text")
    mixture = bool(settings.weights) or weights_text is not None
    dev_blocks = [list(read_blocks([path], CorpusReport())) for path in dev_texts]
    weights_blocks = (
        list(read_blocks([weights_text], CorpusReport())) if weights_text is not None else []
    )
    parts = [[path] for path in texts] if mixture else [texts]
    with contextlib.ExitStack() as stack:
        folder = Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix=f".{out.name}.", dir=out.parent))
        )
        corpus = CorpusReport()
        vocabulary, coverage, encoded = _encode(parts, settings, folder, corpus)
        counted: list[list[Counts]] = []
        models: list[NgramModel] = []
        for index, ids in enumerate(encoded):
            part = folder / f"part{index}"
            part.mkdir()
            counted.append(_counts(ids, settings.order, part))
            models.append(_smoothed(counted[-1], vocabulary, settings.cut_offs))
        steps = stack.enter_context(tqdm(total=len(also) + 2, unit="step", desc="mixing"))
        if weights_text is not None:
            weights = choose_weights(models, vocabulary.encode(weights_blocks))
        else:
            weights = [weight / sum(settings.weights) for weight in settings.weights]
        model = mix(models, weights)
        del models
        devs = [vocabulary.encode(blocks) for blocks in dev_blocks]
        unpruned = [perplexity(model, dev) for dev in devs]
        steps.update()
        details = _description(settings, texts, corpus, weights)

        def describe(pruned: NgramModel) -> dict[str, Any]:
            if not devs:
                return details
            return details | {"dev_perplexity": round(perplexity(pruned, devs[0]).perplexity, 2)}

        def smooth(pruned: NgramModel) -> NgramModel:
            kept = [level.keys for level in pruned.orders]
            return mix([smooth_again(each, kept, vocabulary.size) for each in counted], weights)

        pruner = Pruner(model)
        del model
        spoken: dict[str, Any] = {}
        if settings.pronounced:
            spoken = pronounce_vocabulary(vocabulary.spelled, settings.lexicon)
        files = []
        for path, max_bytes in [*also, (out, settings.max_bytes)]:
            steps.set_description(f"pruning {path.name}")
            try:
                found, content = largest_that_fits(
                    pruner, vocabulary, max_bytes, describe, smooth, spoken
                )
            except ValueError:
                raise DataError(
                    f"the {len(vocabulary.words):,} words alone take more than "
                    f"{max_bytes / 1e6:g} MB; allow more or fewer words"
                ) from None
            with replacing(path) as partial:
                partial.write_bytes(content)
            kept = [len(level.keys) for level in found.orders]
            scores = [perplexity(found, dev) for dev in devs]
            files.append(WrittenModel(path, kept, len(content), scores))
            steps.update()
        if arpa is not None:
            steps.set_description("writing ARPA")
            with replacing(arpa) as partial:
                write_arpa(partial, found, vocabulary)
        steps.set_description("done")
        numbers = [
            sum(len(part[order].keys) for part in counted) for order in range(settings.order)
        ]
    return BuildReport(
        corpus, len(vocabulary.spelled), coverage, numbers, weights, unpruned, files[::-1]
    )


def _description(
    settings: BuildSettings, texts: list[Path], corpus: CorpusReport, weights: list[float]
) -> dict[str, Any]:
    found: dict[str, Any] = {
        "source": settings.source or ", ".join(path.name for path in texts),
        "licence": settings.licence,
        "created": datetime.datetime.now(datetime.timezone.utc).date().isoformat(),
        "corpus": {"lines": corpus.lines, "words": corpus.words},
        "smoothing": "modified Kneser-Ney, relative-entropy pruning, smoothed again",
    }
    if weights:
        found["weights"] = [round(weight, 4) for weight in weights]
    return found


def _encode(
    parts: list[list[Path]], settings: BuildSettings, folder: Path, corpus: CorpusReport
) -> tuple[Vocabulary, float, list[Ids]]:
    """The vocabulary, the share of the words that are in it, and the ids of each part."""
    numbers = WordNumbers()
    size = sum(total_bytes(part) for part in parts)
    with tqdm(total=size, unit="B", unit_scale=True, desc="reading") as bar:
        numbered = [
            NumberedText(folder / f"words{index}", read_blocks(part, corpus, bar.update), numbers)
            for index, part in enumerate(parts)
        ]
    total = np.zeros(len(numbers), np.int64)
    for text in numbered:
        total[: len(text.frequencies)] += text.frequencies
    frequencies = {
        word: count
        for word, count in zip(list(numbers)[1:], total[1:].tolist(), strict=True)
        if count >= settings.minimum_count
    }
    vocabulary = choose_vocabulary(
        frequencies,
        settings.vocabulary,
        settings.minimum_count,
        settings.exclude,
        settings.rare_words,
        corpus.words,
    )
    covered = sum(frequencies[word] for word in vocabulary.spelled)
    del frequencies
    encoded = [
        text.encode(vocabulary, numbers, folder / f"ids{index}")
        for index, text in enumerate(numbered)
    ]
    return vocabulary, covered / corpus.words, encoded


def _counts(ids: Ids, order: int, folder: Path) -> list[Counts]:
    """All n-grams of one text, in files."""
    counted: list[Counts] = []
    with tqdm(total=len(ids) * order, unit="words", unit_scale=True) as bar:
        for length in range(1, order + 1):
            bar.set_description(f"counting {length}-grams")
            counted.append(count_ngrams(ids, length, folder, bar.update))
        bar.update(bar.total - bar.n)  # sentences' boundaries begin no longer n-grams
    return counted


def _smoothed(
    counted: list[Counts], vocabulary: Vocabulary, cut_offs: tuple[int, ...]
) -> NgramModel:
    total = sum(len(level.keys) for level in counted)
    with tqdm(total=total, unit="n-grams", unit_scale=True, desc="smoothing") as bar:
        return estimate(counted, vocabulary.size, cut_offs, bar.update)
