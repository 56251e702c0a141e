"""SoftmaxWithLoss: cross entropy of the softmax of scores against labels."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

import torch
from torch import Tensor

from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec
from cortado.layers.label import check_label_count, scores_and_labels
from cortado.layers.layer import UntrainedLayer, canonical_axis, layer_types
from cortado.layers.softmax import SoftmaxParameters


class Normalization(Enum):
    """What the summed loss is divided by."""

    FULL = 0  # every label
    VALID = 1  # labels that are not `ignore_label`
    BATCH_SIZE = 2
    NONE = 3  # nothing


@dataclass(frozen=True, kw_only=True)
class LossParameters:
    """Caffe's LossParameter; `normalize` is its older spelling: false is BATCH_SIZE where `normalization` is absent."""

    ignore_label: int | None = None
    normalization: Normalization | None = None
    normalize: bool | None = None

    @property
    def divisor(self) -> Normalization:
        """The normalization that holds."""
        if self.normalization is not None:
            return self.normalization
        return Normalization.BATCH_SIZE if self.normalize is False else Normalization.VALID


@dataclass(frozen=True, kw_only=True)
class SoftmaxWithLossParameters(LossParameters):
    """Caffe's LossParameter, and of SoftmaxParameter the axis with the classes."""

    softmax_param: SoftmaxParameters = field(default_factory=SoftmaxParameters)


@layer_types.register("SoftmaxWithLoss")
class SoftmaxWithLoss(UntrainedLayer):
    """-log softmax(scores)[label], summed and normalised, as Caffe's `softmax_loss_layer.cpp`.

    Bottoms: scores, with the classes on the axis that `softmax_param` says, labels, one whole number for each position
    beside that axis. Tops: the loss, a scalar; optionally the softmax, of the scores' shape. Unlike Caffe, the
    logarithm is taken before the exponential can underflow.
    """

    parameters_type = SoftmaxWithLossParameters
    parameters_field = "loss_param"
    layer_fields = ("softmax_param",)
    bottom_counts = range(2, 3)
    top_counts = range(1, 3)
    default_loss_weights = (1.0,)

    @classmethod
    def top_shapes(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> tuple[TensorShape, ...]:
        check_label_count(spec, bottoms, spec.parameters.softmax_param.axis)
        return (TensorShape(()), bottoms[0])[:len(spec.tops)]

    @classmethod
    def keeps_scale(cls, spec: LayerSpec) -> bool:
        return False

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        parameters = self.spec.parameters
        axis = canonical_axis(self.spec, parameters.softmax_param.axis, bottoms[0].dim())
        scores, labels, counted = scores_and_labels(self.spec, bottoms, axis, parameters.ignore_label)
        chosen = torch.log_softmax(scores, 1).gather(1, labels[:, None])[:, 0]
        total = -(chosen * counted).sum()
        loss = normalised(total, parameters.divisor, labels, counted)
        return (loss, torch.softmax(bottoms[0], axis))[:len(self.spec.tops)]


def normalised(total: Tensor, normalization: Normalization, labels: Tensor, counted: Tensor) -> Tensor:
    """The summed loss over what the file says, of labels (outer, inner) of which some are `counted`."""
    match normalization:
        case Normalization.FULL:
            return total / labels.numel()
        case Normalization.VALID:
            # At least 1: a batch of ignored labels has loss 0, not 0 / 0.
            return total / counted.sum().clamp(min=1)
        case Normalization.BATCH_SIZE:
            return total / labels.shape[0]
        case Normalization.NONE:
            return total
