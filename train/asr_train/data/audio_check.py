"""Is the audio of a data set whole, and as long as the manifest says?

The runtime's reader decides, so that training and evaluation refuse what it refuses. Nothing but
headers, pages and frames is read here; `decode` finds damage that shows in decoding alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

from asr_runtime.audio.audio_reader import AudioReader
from asr_runtime.errors import AsrRuntimeError
from asr_runtime.inference.cpus import usable_cpus
from asr_train.data.manifest import Utterance

#: A stated duration is right within so many seconds, or within this share of the true one.
SLACK_SECONDS, SLACK_SHARE = 0.25, 0.05


@dataclass
class AudioCheck:
    """What became of the rows of a data set.

    Attributes:
        kept: rows whose audio can be used, with durations that are true.
        unusable: rows whose audio is cut off, damaged or none, with the reason.
        corrected: rows whose duration was far from the file's.
    """

    kept: list[Utterance] = field(default_factory=list)
    unusable: list[str] = field(default_factory=list)
    corrected: list[str] = field(default_factory=list)

    def report(self) -> list[str]:
        """Return a line for each kind of problem, with the count and the first example."""
        lines = []
        if self.unusable:
            count = len(self.unusable)
            lines.append(f"skipped {count}: the audio cannot be used, e.g. {self.unusable[0]}")
        if self.corrected:
            lines.append(
                f"{len(self.corrected)} durations are far from the file's, which are used instead, "
                f"e.g. {self.corrected[0]}"
            )
        return lines


def check_audio(utterances: Sequence[Utterance]) -> AudioCheck:
    """Open the audio of all rows.

    Args:
        utterances: rows of a manifest or a data set. A file that several of them name is opened
            once.
    """
    files = list(dict.fromkeys(row.audio for row in utterances))
    with ThreadPoolExecutor(min(usable_cpus(), 8)) as pool:
        found = dict(zip(files, pool.map(_duration, files), strict=True))
    check = AudioCheck()
    for row in utterances:
        duration = found[row.audio]
        if isinstance(duration, str):
            check.unusable.append(f"{row.origin} ({row.audio}: {duration})")
            continue
        if duration is not None:
            slack = max(SLACK_SECONDS, SLACK_SHARE * duration)
            # Written so that a duration that is not a number counts as wrong.
            if not abs(row.duration - duration) <= slack:
                check.corrected.append(f"{row.origin} ({row.duration:g} s, not {duration:.2f} s)")
                row = replace(row, duration=duration)
        check.kept.append(row)
    return check


def _duration(path: Path) -> float | str | None:
    """Return seconds, None if the file does not say, or what is wrong with it."""
    try:
        with AudioReader(path) as reader:
            return reader.duration
    except AsrRuntimeError as error:
        return error.problem
