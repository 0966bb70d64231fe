"""What a run leaves for people to look at: CSV files, TensorBoard events and a plot."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

from torch.utils.tensorboard import SummaryWriter

STEPS_CSV = "steps.csv"
EPOCHS_CSV = "epochs.csv"
PLOT = "training.png"
STEP_COLUMNS = ("step", "epoch", "loss", "learning_rate", "grad_norm", "audio_seconds_per_second")
EPOCH_COLUMNS = (
    "step",
    "epoch",
    "train_loss",
    "dev_loss",
    "word_error_rate",
    "character_error_rate",
)


class MetricsLog:
    """Appends figures to ``steps.csv`` and ``epochs.csv`` and mirrors them to TensorBoard."""

    def __init__(self, folder: Path, resume_step: int = 0) -> None:
        """Open the files of a run.

        Args:
            folder: the run's.
            resume_step: rows of later steps, written after the checkpoint, are dropped.
        """
        self._folder = folder
        for name, columns in ((STEPS_CSV, STEP_COLUMNS), (EPOCHS_CSV, EPOCH_COLUMNS)):
            kept = [row for row in read_csv(folder / name) if int(row["step"]) <= resume_step]
            with (folder / name).open("w", newline="", encoding="utf-8") as file:
                writer = csv.DictWriter(file, columns)
                writer.writeheader()
                writer.writerows(kept)
        self._events = SummaryWriter(str(folder / "tensorboard"), purge_step=resume_step + 1)

    def step(self, figures: Mapping[str, float]) -> None:
        """One optimiser step; keys as ``STEP_COLUMNS``."""
        self._append(STEPS_CSV, STEP_COLUMNS, figures)

    def epoch(self, figures: Mapping[str, float]) -> None:
        """One pass over the data; keys as ``EPOCH_COLUMNS``, dev figures optional."""
        self._append(EPOCHS_CSV, EPOCH_COLUMNS, figures)
        plot(self._folder)

    def close(self) -> None:
        """Flush the TensorBoard events."""
        self._events.close()

    def _append(self, name: str, columns: tuple[str, ...], figures: Mapping[str, float]) -> None:
        with (self._folder / name).open("a", newline="", encoding="utf-8") as file:
            csv.DictWriter(file, columns).writerow(figures)
        for key, value in figures.items():
            if key not in ("step", "epoch"):
                self._events.add_scalar(f"{Path(name).stem}/{key}", value, int(figures["step"]))


def read_csv(path: Path) -> list[dict[str, str]]:
    """Rows of one of the CSV files, none when it is not there yet."""
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def plot(folder: Path) -> None:
    """Draw loss and error rates of a run folder into ``training.png``."""
    # Without pyplot no display and no global state are touched.
    from matplotlib.figure import Figure

    steps, epochs = read_csv(folder / STEPS_CSV), read_csv(folder / EPOCHS_CSV)
    figure = Figure(figsize=(10, 4), layout="constrained")
    loss_axes, rate_axes = figure.subplots(1, 2)
    loss_axes.plot(_column(steps, "step"), _column(steps, "loss"), alpha=0.4, label="train, a step")
    for key, label in (("train_loss", "train, an epoch"), ("dev_loss", "dev")):
        rows = [row for row in epochs if row[key]]
        loss_axes.plot(_column(rows, "step"), _column(rows, key), marker="o", label=label)
    loss_axes.set(xlabel="step", ylabel="CTC loss a character (nats)")
    loss_axes.legend()
    for key, label in (("word_error_rate", "WER"), ("character_error_rate", "CER")):
        rows = [row for row in epochs if row[key]]
        percent = [100 * value for value in _column(rows, key)]
        rate_axes.plot(_column(rows, "epoch"), percent, marker="o", label=f"dev {label}")
    rate_axes.set(xlabel="epoch", ylabel="error rate (%)", ylim=(0, None))
    rate_axes.legend()
    figure.savefig(folder / PLOT, dpi=100)


def _column(rows: list[dict[str, str]], key: str) -> list[float]:
    return [float(row[key]) for row in rows]
