"""``asr-bench``: measure models and engines, and try what damaged files do to the runtime."""

from __future__ import annotations

import typer

from asr_bench.comparison.compare_command import compare, report
from asr_bench.fuzzing.fuzz_command import fuzz
from asr_bench.hotwords.hotwords_command import hotwords
from asr_bench.long_form.long_command import long
from asr_bench.profiling.profile_command import profile
from asr_bench.runs.presets import latency, precision, streaming
from asr_bench.runs.run_command import run
from asr_train.command.run_command import run_command

app = typer.Typer(
    help="Measure models and engines; try damaged files.",
    pretty_exceptions_enable=False,
    no_args_is_help=True,
)

for _command in (
    run,
    latency,
    precision,
    streaming,
    compare,
    report,
    profile,
    long,
    hotwords,
    fuzz,
):
    app.command()(_command)
app.command("table", hidden=True)(report)  # its name before


def main() -> None:
    """Run the command line."""
    run_command(app, "asr-bench")
