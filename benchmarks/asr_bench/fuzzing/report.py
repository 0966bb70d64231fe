"""What a run of damaged files found, for people and for programs."""

from __future__ import annotations

import json
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import soundfile

from asr_bench.fuzzing.campaign import Campaign, Result
from asr_train.output import replacing

FORMAT_VERSION = 1


@dataclass(frozen=True)
class FuzzReport:
    """Outcomes of one run.

    Attributes:
        campaign: How it was done.
        results: One a kind of file.
    """

    campaign: Campaign
    results: Sequence[Result]

    @property
    def findings(self) -> int:
        """Number of files that showed something wrong."""
        return sum(len(result.findings) for result in self.results)

    def text(self) -> str:
        """Return the lines for a terminal."""
        lines = []
        for result in self.results:
            counts = ", ".join(f"{kind} {count}" for kind, count in result.outcomes.most_common())
            lines.append(
                f"{result.target}: {result.tried} files in {result.seconds:.0f} s: {counts or '-'}"
            )
            for finding in result.findings:
                last = (finding.message.strip().splitlines() or [""])[-1]
                lines.append(f"  {finding.kind}: {finding.file} (was {finding.origin}): {last}")
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "format_version": FORMAT_VERSION,
            "seed": self.campaign.seed,
            "workers": self.campaign.workers,
            "limits": asdict(self.campaign.limits),
            "environment": {
                "system": f"{platform.system()} {platform.machine()}",
                "python": platform.python_version(),
                "numpy": np.__version__,
                "onnxruntime": onnxruntime.__version__,
                "soundfile": soundfile.__version__,
                "libsndfile": soundfile.__libsndfile_version__,
            },
            "results": [
                {
                    "target": result.target,
                    "tried": result.tried,
                    "seconds": round(result.seconds, 1),
                    "outcomes": dict(result.outcomes.most_common()),
                    "findings": [asdict(finding) for finding in result.findings],
                }
                for result in self.results
            ],
        }

    def save(self, path: Path) -> None:
        """Write as JSON; ``OutputError`` when it cannot be written."""
        with replacing(path) as partial:
            partial.write_text(json.dumps(self.to_dict(), indent=2) + "\n", encoding="utf-8")
