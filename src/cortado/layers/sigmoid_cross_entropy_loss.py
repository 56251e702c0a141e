"""SigmoidCrossEntropyLoss: cross entropy of the sigmoids of scores against probabilities."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec
from cortado.layers.layer import UntrainedLayer, layer_types
from cortado.layers.softmax_with_loss import LossParameters, Normalization


@layer_types.register("SigmoidCrossEntropyLoss")
class SigmoidCrossEntropyLoss(UntrainedLayer):
    """-sum of t log s(x) + (1 - t) log(1 - s(x)), as Caffe's `sigmoid_cross_entropy_loss_layer.cpp`; the top is a
    scalar.

    Bottoms: scores x and targets t of as many values each. Unlike SoftmaxWithLoss the sum is over the batch size
    unless the file asks otherwise.
    """

    parameters_type = LossParameters
    parameters_field = "loss_param"
    bottom_counts = range(2, 3)
    default_loss_weights = (1.0,)

    @classmethod
    def top_shapes(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> tuple[TensorShape, ...]:
        scores, targets = bottoms
        if scores.rank < 1 or scores.count != targets.count:
            raise spec.error(f"bottom '{spec.bottoms[1]}' must have as many values as bottom '{spec.bottoms[0]}' "
                             f"({scores}), not {targets}")
        return (TensorShape(()),)

    @classmethod
    def keeps_scale(cls, spec: LayerSpec) -> bool:
        return False

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        parameters = self.spec.parameters
        scores, targets = bottoms[0], bottoms[1].reshape(bottoms[0].shape)
        counted = torch.ones_like(scores, dtype=torch.bool)
        if parameters.ignore_label is not None:
            counted = targets != parameters.ignore_label
        losses = functional.binary_cross_entropy_with_logits(scores, targets, reduction="none")
        total = losses.where(counted, torch.zeros_like(losses)).sum()
        normalization = parameters.divisor
        if parameters.normalization is None and parameters.normalize is None:
            normalization = Normalization.BATCH_SIZE
        match normalization:
            case Normalization.FULL:
                return (total / scores.numel(),)
            case Normalization.VALID:
                return (total / counted.sum().clamp(min=1),)
            case Normalization.BATCH_SIZE:
                return (total / scores.shape[0],)
            case Normalization.NONE:
                return (total,)
