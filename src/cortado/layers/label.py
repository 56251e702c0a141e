"""Scores and labels as losses and Accuracy take them. No layer type lives here."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec
from cortado.layers.layer import canonical_axis

# What a probability counts as at least where its logarithm is taken (Caffe: kLOG_THRESHOLD).
LEAST_PROBABILITY = 1e-20


def check_label_count(spec: LayerSpec, bottoms: tuple[TensorShape, ...], axis: int) -> int:
    """`axis` counted from the front; `LayerError` unless there is one label per position beside that axis."""
    scores, labels = bottoms
    axis = canonical_axis(spec, axis, scores.rank)
    count = scores.count // scores.dims[axis]
    if labels.count != count:
        raise spec.error(f"bottom '{spec.bottoms[1]}' must have one label for each of {count} positions of bottom "
                         f"'{spec.bottoms[0]}' ({scores}, classes on axis {axis}), not {labels.count}")
    return axis


def scores_and_labels(spec: LayerSpec, bottoms: tuple[Tensor, ...], axis: int,
                      ignore_label: int | None) -> tuple[Tensor, Tensor, Tensor]:
    """Scores (outer, classes, inner), whole-number labels (outer, inner) and which of them count, of that shape.

    Ignored labels may be no class at all and become 0, so that they can be used as an index. `LayerError` for any
    other label that is no class.
    """
    scores, labels = bottoms
    outer, classes, inner = math.prod(scores.shape[:axis]), scores.shape[axis], math.prod(scores.shape[axis + 1:])
    labels = labels.long().reshape(outer, inner)
    counted = torch.ones_like(labels, dtype=torch.bool) if ignore_label is None else labels != ignore_label
    labels = labels.where(counted, 0)
    wrong = labels[(labels < 0) | (labels >= classes)]
    if wrong.numel():
        raise spec.error(f"labels must be from 0 to {classes - 1}, not {int(wrong[0])}")
    return scores.reshape(outer, classes, inner), labels, counted


def check_row_labels(spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> None:
    """`LayerError` unless there is one label for each row of the scores (N, ...)."""
    scores, labels = bottoms
    if scores.rank < 1 or labels.count != scores.dims[0]:
        raise spec.error(f"bottom '{spec.bottoms[1]}' must have one label for each row of bottom '{spec.bottoms[0]}' "
                         f"({scores}), not {labels.count}")


def row_labels(spec: LayerSpec, bottoms: tuple[Tensor, ...]) -> tuple[Tensor, Tensor]:
    """Scores (N, classes) and whole-number labels (N,); `LayerError` for a label that is no class."""
    scores, labels, _ = scores_and_labels(spec, (bottoms[0].reshape(len(bottoms[0]), -1), bottoms[1]), 1, None)
    return scores[:, :, 0], labels[:, 0]
