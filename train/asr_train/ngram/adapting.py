"""A language model that exists, adapted to texts of one subject.

It becomes a mixture of itself and of a model of those texts alone (`mixing`), so that it takes no
more than what was built before: neither its texts nor its counts. Its neural network stays in it.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from asr_runtime.language.language_model import FIRST_WORD, UNKNOWN
from asr_runtime.language.language_model_file import read_arrays
from asr_runtime.language.pronunciations import PHONEMES_ARRAY, Pronunciations
from asr_runtime.language.word_network import NETWORK
from asr_train.data.text import CorpusReport, read_blocks
from asr_train.ngram.converting import fitting
from asr_train.ngram.counting import count_ngrams
from asr_train.ngram.kneser_ney import NgramModel, Order, estimate
from asr_train.ngram.mixing import mix
from asr_train.ngram.perplexity import Perplexity, perplexity
from asr_train.ngram.pruning import normalise, set_backoffs, set_context_probabilities
from asr_train.ngram.unpacking import read_packed_model
from asr_train.ngram.vocabulary import MAX_WORDS, Ids, Vocabulary, choose_vocabulary
from asr_train.output import replacing
from asr_train.pronunciation.packing import pack_pronunciations, pronounce_words

_MOST_OWN_WORDS = MAX_WORDS // 2
"""Words of the texts that n-grams know; the rest of the ids is the model's own."""

_NEW_SHARE = 1e-6
"""Part of the unknown word's probability that the model gives to a word that is new to it."""

_MOST_OF_UNKNOWN = 0.5
"""Part of that probability at most that all words take that n-grams get to know."""

_NETWORK_WORDS = f"{NETWORK}_words"


@dataclass(frozen=True)
class AdaptationReport:
    """What was written.

    Attributes:
        corpus: What reading the texts found.
        new: Words of the texts that the model had not known.
        kept: N-grams of each order.
        size: Bytes.
        before: Perplexity of each development text with the model as it was, if it knew the words.
        after: The same with what was written.
    """

    corpus: CorpusReport
    new: int
    kept: list[int]
    size: int
    before: list[Perplexity]
    after: list[Perplexity]


def adapt_language_model(
    base: Path,
    texts: list[Path],
    out: Path,
    weight: float,
    max_bytes: int | None = None,
    lexicon: Path | None = None,
    dev_texts: Sequence[Path] = (),
    source: str = "",
) -> AdaptationReport:
    """Write the mixture of a model and of a model of some texts.

    Args:
        base: The model's file.
        texts: Files as `read_blocks` reads them.
        out: File to write.
        weight: Part of the texts' model, between 0 and 1.
        max_bytes: Size of the file's n-grams at most; they are pruned until it fits. None for all.
        lexicon: Pronunciations of words, before the model's and the toolkit's.
        dev_texts: Texts that are scored and otherwise unused.
        source: Where the texts are from, stated in the file.

    Raises:
        DataError: A file that cannot be used, or a size that the words alone exceed.
        OutputError: The file cannot be written.
    """
    steps = tqdm(total=5, unit="step", desc=f"reading {base.name}")
    with steps:
        own, known = read_packed_model(base)
        normalise(own)
        header, arrays = read_arrays(base)
        devs = [list(read_blocks([path], CorpusReport())) for path in dev_texts]
        corpus = CorpusReport()
        steps.update()
        steps.set_description("counting")
        frequencies: Counter[bytes] = Counter()
        for block in read_blocks(texts, corpus):
            frequencies.update(block.split())
        said = choose_vocabulary(frequencies, _MOST_OWN_WORDS).words
        vocabulary = extended(own, known, said)
        ids = vocabulary.encode(read_blocks(texts, CorpusReport()))
        theirs = _model(ids, own.order, vocabulary.size, out.parent)
        steps.update()
        steps.set_description("mixing")
        own = renumbered(own, known, vocabulary)
        dev_ids = [vocabulary.encode(blocks) for blocks in devs]
        before = [perplexity(own, dev) for dev in dev_ids]
        model = mix([own, theirs], [1 - weight, weight])
        del own, theirs
        steps.update()
        steps.set_description("pronouncing")
        extra = _network(arrays, known, vocabulary)
        if PHONEMES_ARRAY in arrays:
            extra |= _pronounced(arrays, known, vocabulary, lexicon)
        steps.update()
        steps.set_description("packing")
        model, content = fitting(
            model, vocabulary, max_bytes, _description(header, texts, weight, source), extra
        )
        with replacing(out) as partial:
            partial.write_bytes(content)
        after = [perplexity(model, dev) for dev in dev_ids]
        steps.update()
        steps.set_description("done")
    new = len(set(said).difference(known.spelled))
    kept = [len(level.keys) for level in model.orders]
    return AdaptationReport(corpus, new, kept, len(content), before, after)


def extended(model: NgramModel, known: Vocabulary, words: Sequence[bytes]) -> Vocabulary:
    """Return a model's vocabulary with some more words that n-grams know.

    If there are too many, the least probable ones of the model become rare words.

    Args:
        model: The model.
        known: Its vocabulary.
        words: The words, which n-grams know afterwards.
    """
    probability = model.orders[0].probability
    own = set(words)
    others = [
        (float(probability[place]), word)
        for place, word in enumerate(known.words, start=FIRST_WORD)
        if word not in own
    ]
    others.sort(reverse=True)
    room = MAX_WORDS - len(own)
    unknown = float(probability[UNKNOWN])
    masses = {word: unknown * np.exp(share) for word, share in known.rare.items()}
    for word, share in _promoted(known, words).items():
        unknown -= share * float(probability[UNKNOWN])
        masses.pop(word, None)
    for mass, word in others[room:]:
        unknown += mass
        masses[word] = mass
    stay = [word for _, word in others[:room]]
    return Vocabulary(
        tuple(sorted([*own, *stay])),
        {word: float(np.log(mass / unknown)) for word, mass in masses.items()},
    )


def renumbered(model: NgramModel, known: Vocabulary, vocabulary: Vocabulary) -> NgramModel:
    """Return a model with the ids of another vocabulary, which has all of its words.

    N-grams of words that have become rare are left out; words that it did not know have what they
    had as a part of the unknown word.

    Args:
        model: The model.
        known: Its vocabulary.
        vocabulary: The other one.
    """
    place = {word: number for number, word in enumerate(vocabulary.words, start=FIRST_WORD)}
    old = model.orders[0].probability
    # The ids before the first word's are the same in both; -1 is a word that has become rare.
    ids = np.arange(len(old))
    ids[FIRST_WORD:] = [place.get(word, -1) for word in known.words]
    probability = np.zeros(vocabulary.size)
    kept = ids >= 0
    probability[ids[kept]] = old[kept]
    probability[UNKNOWN] += old[~kept].sum()
    for word, share in _promoted(known, vocabulary.words).items():
        probability[place[word]] = share * old[UNKNOWN]
        probability[UNKNOWN] -= share * old[UNKNOWN]
    orders = [_order(np.arange(vocabulary.size, dtype=np.uint64), probability)]
    for order, level in enumerate(model.orders[1:], start=2):
        keys, there = np.zeros(len(level.keys), np.uint64), np.ones(len(level.keys), np.bool_)
        for shift in range(16 * (order - 1), -1, -16):
            column = ids[((level.keys >> np.uint64(shift)) & np.uint64(0xFFFF)).astype(np.int64)]
            there &= column >= 0
            keys = (keys << np.uint64(16)) | np.maximum(column, 0).astype(np.uint64)
        # Both vocabularies are in alphabetical order, so that the keys stay in order.
        orders.append(_order(keys[there], level.probability[there]))
    renumbered = NgramModel(orders)
    set_backoffs(renumbered)
    set_context_probabilities(renumbered)
    return renumbered


def _promoted(known: Vocabulary, words: Sequence[bytes]) -> dict[bytes, float]:
    """Return the parts of the unknown word's probability that words of no n-gram had, by word."""
    new = set(words).difference(known.words)
    shares = {word: float(np.exp(known.rare[word])) for word in new & known.rare.keys()}
    shares |= dict.fromkeys(new.difference(known.rare), _NEW_SHARE)
    most = _MOST_OF_UNKNOWN / max(sum(shares.values()), _MOST_OF_UNKNOWN)
    return {word: share * most for word, share in shares.items()}


def _order(keys: npt.NDArray[np.uint64], probability: npt.NDArray[np.float64]) -> Order:
    return Order(keys, probability, np.ones(len(keys)), np.zeros(len(keys)))


def _model(ids: Ids, order: int, size: int, folder: Path) -> NgramModel:
    """Return the model of a text [words] alone."""
    with tempfile.TemporaryDirectory(prefix=".adapting.", dir=folder) as counts:
        counted = [count_ngrams(ids, length, Path(counts)) for length in range(1, order + 1)]
        return estimate(counted, size)


def _network(
    arrays: Mapping[str, npt.NDArray[Any]], known: Vocabulary, vocabulary: Vocabulary
) -> dict[str, npt.NDArray[Any]]:
    """Return the arrays of the file's network, with the words' new ids; none without one."""
    found = {name: array for name, array in arrays.items() if name.startswith(f"{NETWORK}_")}
    if _NETWORK_WORDS in found:
        place = {word: number for number, word in enumerate(vocabulary.spelled, start=FIRST_WORD)}
        ids = np.arange(FIRST_WORD + len(known.spelled), dtype=np.int32)
        ids[FIRST_WORD:] = [place[word] for word in known.spelled]
        found[_NETWORK_WORDS] = ids[found[_NETWORK_WORDS]]
    return found


def _pronounced(
    arrays: Mapping[str, npt.NDArray[Any]],
    known: Vocabulary,
    vocabulary: Vocabulary,
    lexicon: Path | None,
) -> dict[str, npt.NDArray[Any]]:
    """Return packed pronunciations: a lexicon's, the file's own, and those of words new to it."""
    old = [word.decode("ascii") for word in known.spelled]
    pronunciations = Pronunciations.from_arrays(arrays, len(old))
    found = {word: pronunciations.of(place) for place, word in enumerate(old)}
    words = [word.decode("ascii") for word in vocabulary.spelled]
    new = pronounce_words([word for word in words if word not in found], lexicon)
    return pack_pronunciations(words, {**found, **new})


def _description(
    header: Mapping[str, Any], texts: list[Path], weight: float, source: str
) -> dict[str, Any]:
    own = source or ", ".join(path.name for path in texts)
    kept = {name: header[name] for name in ("licence", NETWORK) if name in header}
    return kept | {
        "source": f"{header.get('source', '')}; adapted to {own}",
        "adapted": {"texts": own, "weight": weight},
    }
