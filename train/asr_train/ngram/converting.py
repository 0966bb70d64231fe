"""Models of other programs as files for the runtime, and back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tqdm import tqdm

from asr_runtime.language.language_model_file import read_arrays
from asr_runtime.language.word_network import NETWORK
from asr_train.data.text import CorpusReport, read_blocks
from asr_train.errors import DataError
from asr_train.ngram.arpa import is_arpa, read_arpa, write_arpa
from asr_train.ngram.kneser_ney import NgramModel
from asr_train.ngram.packing import pack
from asr_train.ngram.perplexity import Perplexity, perplexity
from asr_train.ngram.pruning import Pruner, normalise
from asr_train.ngram.unpacking import read_packed_model
from asr_train.ngram.vocabulary import Vocabulary
from asr_train.ngram.writing import file_content, largest_that_fits
from asr_train.output import replacing
from asr_train.pronunciation.packing import pronounce_vocabulary


@dataclass(frozen=True)
class ConversionReport:
    """What was written.

    read, kept: n-grams of each order. size: bytes.
    before, after: perplexities of each development text, of all that was read and of what was kept.
    without_network: whether what was read has a neural network, which is left out.
    """

    read: list[int]
    kept: list[int]
    size: int
    before: list[Perplexity]
    after: list[Perplexity]
    without_network: bool = False


def is_model(path: Path) -> bool:
    """Whether a file's name says that it is a model and no text."""
    return is_arpa(path) or path.suffix == ".lm"


def convert_language_model(
    path: Path,
    out: Path,
    max_bytes: int,
    order: int,
    dev_texts: Sequence[Path] = (),
    arpa: Path | None = None,
    source: str = "",
    licence: str = "",
    pronounced: bool = False,
    lexicon: Path | None = None,
) -> ConversionReport:
    """Write a model that exists as a file for the runtime, smaller if need be.

    Args:
        path: an ARPA file, or a language model file.
        out: file to write.
        max_bytes: its size at most; n-grams are pruned until it fits.
        order: longer n-grams are left out.
        dev_texts: texts that are scored and otherwise unused.
        arpa: where to write the model that was read as an ARPA file too.
        source: where the text is from, stated in the file.
        licence: the text's licence, stated in the file.
        pronounced: whether the file says how its words are spoken.
        lexicon: pronunciations for it, in place of the toolkit's.

    Raises:
        DataError: a file that cannot be used, or a size that the words alone exceed.
        OutputError: a file cannot be written.
    """
    network = False
    with tqdm(unit="n-grams", unit_scale=True, desc="reading") as bar:
        if is_arpa(path):
            model, vocabulary = read_arpa(path, order, bar.update)
        else:
            network = NETWORK in read_arrays(path)[0]
            model, vocabulary = read_packed_model(path)
            model = NgramModel(model.orders[:order])
        devs = [vocabulary.encode(read_blocks([text], CorpusReport())) for text in dev_texts]
        before = [perplexity(model, dev) for dev in devs]
        read = [len(level.keys) for level in model.orders]
        if arpa is not None:
            bar.set_description("writing ARPA")
            with replacing(arpa) as partial:
                write_arpa(partial, model, vocabulary, bar.update)
        bar.set_description("packing")
        spoken = pronounce_vocabulary(vocabulary.spelled, lexicon) if pronounced else {}
        description = {"source": source or path.name, "licence": licence}
        model, content = fitting(model, vocabulary, max_bytes, description, spoken)
        with replacing(out) as partial:
            partial.write_bytes(content)
        after = [perplexity(model, dev) for dev in devs]
        bar.set_description("done")
    return ConversionReport(
        read, [len(level.keys) for level in model.orders], len(content), before, after, network
    )


def fitting(
    model: NgramModel,
    vocabulary: Vocabulary,
    max_bytes: int | None,
    description: dict[str, Any],
    extra: dict[str, Any],
) -> tuple[NgramModel, bytes]:
    """A model's file, and the model in it, which is pruned if the file would be too large.

    Args:
        model: the model.
        vocabulary: its words.
        max_bytes: size of the file at most; None for any.
        description: JSON values for readers of the file.
        extra: further arrays of the file.

    Raises:
        DataError: the words alone take more.
    """
    content = file_content(pack(model, vocabulary) | extra, model, description)
    if max_bytes is None or len(content) <= max_bytes:
        return model, content
    normalise(model)  # what was read from a file was rounded there
    try:
        return largest_that_fits(
            Pruner(model), vocabulary, max_bytes, lambda _: description, extra=extra
        )
    except ValueError:
        raise DataError(
            f"the {len(vocabulary.words):,} words alone take more than {max_bytes / 1e6:g} MB; "
            "allow more"
        ) from None
