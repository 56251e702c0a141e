"""HingeLoss: one class against all others, with a margin of 1."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import torch
from torch import Tensor

from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec
from cortado.layers.label import check_row_labels, row_labels
from cortado.layers.layer import UntrainedLayer, layer_types


class HingeNorm(Enum):
    """Whether margins are summed, or their squares."""

    L1 = 1
    L2 = 2


@dataclass(frozen=True, kw_only=True)
class HingeLossParameters:
    """Caffe's HingeLossParameter."""

    norm: HingeNorm = HingeNorm.L1


@layer_types.register("HingeLoss")
class HingeLoss(UntrainedLayer):
    """sum over classes of max(0, 1 - s x)**p, over N, with s 1 for the label's class and -1 for others, p 1 or 2.

    Bottoms: scores (N, ...) and labels, one for each row; the top is a scalar. Source: Caffe's `hinge_loss_layer.cpp`.
    """

    parameters_type = HingeLossParameters
    parameters_field = "hinge_loss_param"
    bottom_counts = range(2, 3)
    default_loss_weights = (1.0,)

    @classmethod
    def top_shapes(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> tuple[TensorShape, ...]:
        check_row_labels(spec, bottoms)
        return (TensorShape(()),)

    @classmethod
    def keeps_scale(cls, spec: LayerSpec) -> bool:
        return False

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        scores, labels = row_labels(self.spec, bottoms)
        signs = -torch.ones_like(scores).scatter(1, labels[:, None], -1.0)
        margins = (1 - signs * scores).clamp(min=0)
        total = margins.sum() if self.spec.parameters.norm is HingeNorm.L1 else margins.square().sum()
        return (total / len(scores),)
