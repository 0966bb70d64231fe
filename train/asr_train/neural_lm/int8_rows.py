"""Weights as int8 with a scale for each row, as a language model's file holds them."""

from __future__ import annotations

import copy
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from asr_train.neural_lm.network import WordNetwork

_LARGEST = 127


def named_matrices(network: WordNetwork) -> Iterator[tuple[str, Tensor]]:
    """Yield the network's matrices, each [rows, columns], under their names in the file."""
    for index, table in enumerate(network.tables):
        yield f"table{index}", table
    for index, lift in enumerate(network.lift, start=1):
        yield f"lift{index}", lift.get_parameter("weight")
    yield "input", network.gru.get_parameter("weight_ih_l0")
    yield "recurrent", network.gru.get_parameter("weight_hh_l0")
    for index, out in enumerate(network.out):
        yield f"out{index}", out.get_parameter("weight")
    yield "cluster", network.cluster.weight


def named_vectors(network: WordNetwork) -> Iterator[tuple[str, Tensor]]:
    """Yield the network's vectors, each [rows], under their names in the file."""
    yield "input_bias", network.gru.get_parameter("bias_ih_l0")
    yield "recurrent_bias", network.gru.get_parameter("bias_hh_l0")
    for index, bias in enumerate(network.bias):
        yield f"bias{index}", bias
    yield "cluster_bias", network.cluster.bias


def int8_rows(
    matrix: npt.NDArray[np.float32],
) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.float32]]:
    """Round a matrix to whole numbers from -127 to 127 times a scale of each row.

    Args:
        matrix: float32 [rows, columns].

    Returns:
        The whole numbers, int8 [rows, columns], and the scales, float32 [rows]; a row of zeros has
        scale 0.
    """
    scale = (np.abs(matrix).max(axis=1, initial=0.0) / np.float32(_LARGEST)).astype(np.float32)
    steps = np.where(scale > 0, scale, np.float32(1.0))
    numbers = np.clip(np.rint(matrix / steps[:, None]), -_LARGEST, _LARGEST)
    return numbers.astype(np.int8), scale


def rounded_network(network: WordNetwork) -> WordNetwork:
    """Return a copy whose matrices, [rows, columns] each, are what the file's reader sees."""
    rounded = copy.deepcopy(network)
    with torch.no_grad():
        for _, matrix in named_matrices(rounded):
            numbers, scale = int8_rows(matrix.detach().numpy())
            matrix.copy_(torch.from_numpy(numbers * scale[:, None]))
    return rounded.eval()
