"""Batch normalisation over nodes, inside layers that have several of them."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional

from cortado.graph.shape import TensorShape
from cortado.layers.filler import Filler

# Blobs of one normalisation: scale, shift, and the running mean and variance that no gradient trains.
BLOBS = 4

MOMENTUM = 0.1


def norm_shapes(width: int) -> tuple[TensorShape, ...]:
    """Shapes of the blobs."""
    return (TensorShape((width,)),) * BLOBS


def norm_fillers() -> tuple[Filler, ...]:
    """Scale 1, shift 0, mean 0, variance 1."""
    return (Filler(value=1), Filler(), Filler(), Filler(value=1))


def keep_from_training(blobs: Sequence[nn.Parameter]) -> None:
    """Have the running mean and variance take no gradient."""
    for blob in blobs[2:]:
        blob.requires_grad_(False)


def node_norm(x: Tensor, blobs: Sequence[Tensor], training: bool) -> Tensor:
    """Nodes (N, d) with mean 0 and variance 1 in each feature, scaled and shifted; in training by those of the batch,
    which then move the running ones. Source: Ioffe & Szegedy 2015, algorithms 1 and 2.
    """
    scale, shift, mean, variance = blobs
    return functional.batch_norm(x, mean, variance, scale, shift, training, MOMENTUM)
