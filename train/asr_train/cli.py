"""``asr-train``: its commands.

Each imports what it computes with when it runs: ``--help`` needs no torch.
"""

from __future__ import annotations

import typer

from asr_train.command.adapt_language_model import adapt_language_model
from asr_train.command.calibrate import calibrate
from asr_train.command.checkpoints import average, quantize
from asr_train.command.evaluate import evaluate, tune_decoder
from asr_train.command.fit import fit
from asr_train.command.language_model import language_model
from asr_train.command.neural_language_model import (
    add_neural_language_model,
    neural_language_model,
)
from asr_train.command.pronunciation import g2p, lexicon
from asr_train.command.punctuation import punctuation, punctuation_evaluate
from asr_train.command.run_command import run_command
from asr_train.command.synthesize import synthesize

app = typer.Typer(
    help="Train and evaluate ResCNN-BiGRU speech recognisers.",
    pretty_exceptions_enable=False,
    no_args_is_help=True,
)
for command in (fit, evaluate, calibrate, quantize, average, synthesize):
    app.command()(command)
app.command("compact", hidden=True)(quantize)  # its former name
for command in (language_model, adapt_language_model, neural_language_model):
    app.command()(command)
for command in (add_neural_language_model, tune_decoder):
    app.command()(command)
for command in (lexicon, g2p, punctuation, punctuation_evaluate):
    app.command()(command)


def main() -> None:
    """Entry point."""
    run_command(app, "asr-train")
