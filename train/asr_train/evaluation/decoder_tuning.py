"""Scanning the settings of the runtime's beam search on recordings with known text."""

from __future__ import annotations

import hashlib
import itertools
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from asr_runtime import AsrRuntimeError, BeamConfig, PhonemeBeamConfig
from asr_runtime.audio.audio_reader import read_audio
from asr_runtime.audio.waveform import to_waveform
from asr_runtime.decoding.decoder_choice import choose_decoder, load_decoder
from asr_runtime.decoding.greedy import greedy_text
from asr_runtime.inference.session import ModelSession, load_session
from asr_runtime.recognizer import DEFAULT_MODEL
from asr_train.data.manifest import Utterance
from asr_train.errors import ConfigError, DataError
from asr_train.evaluation.evaluate import Condition
from asr_train.evaluation.metrics import ErrorRates, error_rates
from asr_train.output import replacing

LogProbs = list[npt.NDArray[np.float32]]
_BATCH = 64
_FIELDS = {each.name: each.type for each in fields(BeamConfig)}


def parse_scan(scans: Sequence[str]) -> dict[str, list[float]]:
    """Values of each setting, from ``name=value,value`` each.

    Raises:
        ConfigError: a setting that does not exist, or something that is no number.
    """
    found = {}
    for scan in scans:
        name, _, values = scan.partition("=")
        if name not in _FIELDS:
            raise ConfigError(f"there is no beam setting {name!r}; choose of {', '.join(_FIELDS)}")
        whole = isinstance(getattr(BeamConfig(), name), int)
        try:
            found[name] = [int(text) if whole else float(text) for text in values.split(",")]
        except ValueError:
            raise ConfigError(
                f"{scan!r} does not give numbers; write for example {name}=1,2"
            ) from None
    return found


def combinations(
    values: dict[str, list[float]], default: BeamConfig | None = None
) -> list[BeamConfig]:
    """Beam settings with every combination of the values; the defaults for the rest."""
    try:
        return [
            replace(default or BeamConfig(), **dict(zip(values, chosen, strict=True)))  # type: ignore[arg-type]
            for chosen in itertools.product(*values.values())
        ]
    except AsrRuntimeError as error:
        raise ConfigError(str(error)) from None


@dataclass(frozen=True)
class Score:
    """What one way of decoding reaches on a set of recordings.

    Attributes:
        rates: error rates over the set.
        config: the search's settings; None for greedy decoding.
        real_time_factor: processor seconds of decoding per second of audio; 0 for greedy decoding.
        varied: those settings that differ between the scores of a scan, with their values.
    """

    rates: ErrorRates
    config: BeamConfig | None = None
    real_time_factor: float = 0.0
    varied: dict[str, float] = field(default_factory=dict)


def scan_settings(
    rows: list[Utterance],
    values: dict[str, list[float]],
    *,
    model: Path | None,
    language_model: Path | None,
    cache: Path | None,
    condition: Condition | None = None,
) -> Iterator[Score]:
    """Score recordings greedily, then with each combination of settings.

    Args:
        rows: recordings and what is said in them.
        values: values of each setting to try; the others have the defaults of the search that the
            models allow, by phonemes or by letters.
        model: exported ONNX model; None for the runtime's default.
        language_model: its file; None for the runtime's default.
        cache: ``.npz`` file that the model's outputs are read from if it has those of this model
            and these recordings, and written to otherwise.
        condition: level and noise that the recordings get first.

    Yields:
        The greedy score, then one score for each combination, as soon as it is known.

    Raises:
        ConfigError: a value that the search does not allow.
        DataError: a model, language model or recording that cannot be used.
    """
    try:
        yield from _scores(rows, values, model, language_model, cache, condition or Condition())
    except AsrRuntimeError as error:
        raise DataError(str(error)) from None


def _scores(
    rows: list[Utterance],
    values: dict[str, list[float]],
    model: Path | None,
    language_model: Path | None,
    cache: Path | None,
    condition: Condition,
) -> Iterator[Score]:
    session = load_session(model or DEFAULT_MODEL, device="cpu")
    card = session.card
    default = load_decoder(language_model, card)
    words, heads = default.language_model, default.heads
    if heads.phonemes:
        session = session.with_phonemes()
    settings = combinations(values, PhonemeBeamConfig() if heads.phonemes else BeamConfig())
    outputs = _cached(rows, session, cache, condition)
    names = [name for name in _FIELDS if len({getattr(each, name) for each in settings}) > 1]
    references = [row.text for row in rows]
    seconds = sum(row.duration for row in rows)
    greedy = [
        greedy_text(heads.spelled(output), card.vocabulary, card.blank_id) for output in outputs
    ]
    yield Score(error_rates(references, greedy))
    for config in settings:
        decoder = choose_decoder(words, card, config=config)
        begin = time.process_time()
        texts = [decoder.decode(output, card.seconds_per_frame).text for output in outputs]
        factor = (time.process_time() - begin) / seconds
        varied = {name: getattr(config, name) for name in names}
        yield Score(error_rates(references, texts), config, factor, varied)


def _cached(
    rows: list[Utterance], session: ModelSession, cache: Path | None, condition: Condition
) -> LogProbs:
    identity = _identity(rows, session, condition)
    if cache is not None and cache.is_file() and cache.stat().st_size:
        try:
            with np.load(cache) as content:
                if str(content["identity"]) == identity:
                    return np.split(content["log_probs"], content["ends"][:-1])
        except (OSError, ValueError, KeyError):
            raise DataError(f"{cache}: not a cache of tune-decoder; delete it") from None
    outputs: LogProbs = []
    for batch in _batches(rows):
        outputs += _outputs(batch, len(outputs), session, condition)
    if cache is not None:
        values: dict[str, Any] = {
            "identity": identity,
            "log_probs": np.concatenate(outputs),
            "ends": np.cumsum([len(output) for output in outputs]),
        }
        with replacing(cache) as partial, partial.open("wb") as file:
            np.savez(file, **values)
    return outputs


def _identity(rows: list[Utterance], session: ModelSession, condition: Condition) -> str:
    digest = hashlib.sha256(session.path.read_bytes())
    digest.update(f"{session.heads.width} {condition}\n".encode())
    for row in rows:
        digest.update(f"{row.audio} {row.duration}\n".encode())
    return digest.hexdigest()


def _batches(rows: list[Utterance]) -> Iterator[list[Utterance]]:
    with tqdm(total=len(rows), unit="utterance", desc="running the model") as bar:
        for begin in range(0, len(rows), _BATCH):
            batch = rows[begin : begin + _BATCH]
            yield batch
            bar.update(len(batch))


def _outputs(
    rows: list[Utterance], first: int, session: ModelSession, condition: Condition
) -> LogProbs:
    """Run the model on some rows; ``first`` is their index, which an utterance's noise follows."""
    rate = session.card.sample_rate
    waveforms = [
        condition(index, to_waveform(*read_audio(row.audio), rate).samples, row.text)[0]
        for index, row in enumerate(rows, first)
    ]
    return session.run_all(waveforms)
