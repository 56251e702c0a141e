"""Small trainings: a net over the digits that takes milliseconds an iteration."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from cortado.frontends.solver_file import SolverFile, read_solver

# Shuffled and warped data, dropout, batch norm: everything that draws or keeps a state of its own.
NETWORK = """
name: "small"
layer { name: "digits" type: "Dataset" top: "data" top: "label" include { phase: TRAIN }
        dataset_param { name: "digits" part: TRAINING batch_size: 16 shuffle: true }
        transform_param { crop_size: 7 mirror: true } }
layer { name: "digits" type: "Dataset" top: "data" top: "label" include { phase: TEST }
        dataset_param { name: "digits" part: HELD_OUT batch_size: 90 }
        transform_param { crop_size: 7 mirror: true } }
layer { name: "warp" type: "RandomAffine" bottom: "data" top: "data" random_affine_param { slant: 0.1 move: 1 } }
layer { name: "conv" type: "Convolution" bottom: "data" top: "conv" param { lr_mult: 1 } param { lr_mult: 2 }
        convolution_param { num_output: 4 kernel_size: 3 weight_filler { type: "xavier" } } }
layer { name: "norm" type: "BatchNorm" bottom: "conv" top: "conv" batch_norm_param { moving_average_fraction: 0.9 } }
layer { name: "relu" type: "ReLU" bottom: "conv" top: "conv" }
layer { name: "drop" type: "Dropout" bottom: "conv" top: "conv" }
layer { name: "score" type: "InnerProduct" bottom: "conv" top: "score" param { } param { decay_mult: 0 }
        inner_product_param { num_output: 10 weight_filler { type: "gaussian" std: 0.01 } } }
layer { name: "accuracy" type: "Accuracy" bottom: "score" bottom: "label" top: "accuracy" include { phase: TEST } }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "score" bottom: "label" top: "loss" }
"""

SOLVER = 'net: "net.prototxt" random_seed: 3 base_lr: 0.01 lr_policy: "fixed" snapshot_after_train: false '


@pytest.fixture
def write_solver(tmp_path: Path) -> Callable[..., SolverFile]:
    """Writes a solver file of the given fields, and the network beside it, and reads it."""

    def write(fields: str = "", *, network: str = NETWORK, begin: str = SOLVER) -> SolverFile:
        (tmp_path / "net.prototxt").write_text(network)
        (tmp_path / "solver.prototxt").write_text(f'{begin} snapshot_prefix: "{tmp_path}/s" {fields}')
        return read_solver(tmp_path / "solver.prototxt")

    return write
