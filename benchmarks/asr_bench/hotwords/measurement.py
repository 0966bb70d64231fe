"""What hotwords find, and what they make up."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from asr_bench.hotwords.spoken_names import SpokenName
from asr_runtime import Recognizer
from asr_train.data.manifest import Utterance
from asr_train.evaluation.metrics import error_rates
from asr_train.model.config import SAMPLE_RATE


@dataclass
class HotwordReport:
    """Counts of recordings, and of other speech.

    Attributes:
        spoken: Recordings in which a name was said.
        found: Those whose transcript has the name, with the names as hotwords.
        found_without: The same without hotwords.
        missed: What was heard in place of each sentence whose name was not found.
        false_alarms: Names heard in other speech.
        other_minutes: Length of the other speech.
        word_error_rate: Word error rate of the other speech with hotwords.
        word_error_rate_without: The same without hotwords.
    """

    spoken: int = 0
    found: int = 0
    found_without: int = 0
    missed: list[dict[str, str]] = field(default_factory=list)
    false_alarms: list[str] = field(default_factory=list)
    other_minutes: float = 0.0
    word_error_rate: float = 0.0
    word_error_rate_without: float = 0.0

    def lines(self) -> list[str]:
        """Return the lines for a terminal."""
        found, without = (100 * n / max(self.spoken, 1) for n in (self.found, self.found_without))
        rate = 10 * len(self.false_alarms) / max(self.other_minutes, 1e-9)
        return [
            f"{self.spoken} recordings: {found:.1f} % of the names found, "
            f"{without:.1f} % without hotwords",
            f"{self.other_minutes:.1f} minutes of other speech: {rate:.2f} false alarms in 10 "
            f"minutes; {100 * self.word_error_rate:.2f} % of words wrong, "
            f"{100 * self.word_error_rate_without:.2f} % without hotwords",
        ]

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return asdict(self)


def measure_hotwords(
    names: Sequence[str],
    recordings: Iterable[SpokenName],
    others: Sequence[Utterance],
    model: Path | None = None,
    language_model: Path | None = None,
    progress: Callable[[], object] = lambda: None,
) -> HotwordReport:
    """Transcribe everything with all names as hotwords, and without.

    Args:
        names: Lower case.
        recordings: Sentences with a name each.
        others: Speech in which nobody says any of them.
        model: Model file; the packaged one if None.
        language_model: Likewise.
        progress: Called after each recording.
    """
    plain, hot = (
        Recognizer.load(model, decoder="beam", language_model=language_model, hotwords=words)
        for words in ((), tuple(names))
    )
    report = HotwordReport()
    for recording in recordings:
        heard = hot.transcribe(recording.samples, SAMPLE_RATE).text
        report.spoken += 1
        if recording.name in heard.split():
            report.found += 1
        else:
            report.missed.append({"voice": recording.voice, "said": recording.text, "heard": heard})
        usual = plain.transcribe(recording.samples, SAMPLE_RATE).text
        report.found_without += recording.name in usual.split()
        progress()
    texts, without = [], []
    for row in others:
        texts.append(hot.transcribe(row.audio).text)
        without.append(plain.transcribe(row.audio).text)
        said = set(row.text.split())
        report.false_alarms += [
            word for word in texts[-1].split() if word in names and word not in said
        ]
        report.other_minutes += row.duration / 60
        progress()
    if others:
        references = [row.text for row in others]
        report.word_error_rate = error_rates(references, texts).word_error_rate
        report.word_error_rate_without = error_rates(references, without).word_error_rate
    return report
