"""Small texts, networks and runs for the tests of the neural language model."""

from __future__ import annotations

import random
from pathlib import Path

import torch
from typer.testing import CliRunner

from asr_train.cli import app
from asr_train.neural_lm.network import (
    WordNetwork,
    WordNetworkConfig,
)
from asr_train.ngram.building import BuildSettings, build_language_model

KINDS = ("cat", "dog", "cow", "hen", "fox", "bee")
SOUNDS = ("purrs", "barks", "moos", "clucks", "howls", "hums")
SMALL = [
    "--clusters", "6,10", "--embeddings", "16,8,4", "--hidden", "32", "--batch-rows", "8",
    "--learning-rate", "0.02", "--minutes", "60",
]  # fmt: skip


def write_sentences(path: Path, number: int, seed: int) -> None:
    """Sentences whose last word follows from their second one, which trigrams do not reach."""
    chance = random.Random(seed)
    kinds = [chance.randrange(len(KINDS)) for _ in range(number)]
    path.write_text("".join(f"the {KINDS[kind]} in here {SOUNDS[kind]}\n" for kind in kinds))


def run(*arguments: object) -> str:
    result = CliRunner().invoke(app, list(map(str, arguments)))
    if result.exception is not None:
        raise result.exception
    return result.output


def write_base(folder: Path) -> Path:
    """An n-gram model of 15 words and a rare one, beside the texts it was made from."""
    write_sentences(folder / "text.txt", 2000, 1)
    write_sentences(folder / "dev.txt", 200, 2)
    with (folder / "text.txt").open("a") as file:
        file.write("the okapi\n")
    settings = BuildSettings(vocabulary=15, minimum_count=1, rare_words=1, pronounced=True)
    build_language_model([folder / "text.txt"], folder / "base.lm", settings)
    return folder / "base.lm"


def small_network(rows: int = 17, seed: int = 1) -> WordNetwork:
    torch.manual_seed(seed)
    network = WordNetwork(WordNetworkConfig((0, 6, 10, rows), (16, 8, 4), 32))
    with torch.no_grad():
        for bias in network.bias:
            bias.normal_()
    return network
