"""MultiLabelLoss: cross-entropy against several answers at once."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from torch import Tensor
from torch.nn import functional

from cortado.errors import FieldError
from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec
from cortado.layers.layer import UntrainedLayer, layer_types


class Alike(Enum):
    """What counts alike in the mean: rows, as in LibKGE, or labels, so that a row counts as often as it has some."""

    ROWS = 0
    LABELS = 1


@dataclass(frozen=True, kw_only=True)
class MultiLabelLossParameters:
    """`label_smoothing`: the share of the labels that is spread over all candidates; `alike`: what counts alike."""

    label_smoothing: float = 0.0
    alike: Alike = Alike.ROWS

    def __post_init__(self) -> None:
        if not 0 <= self.label_smoothing < 1:
            raise FieldError("label_smoothing", f"must be at least 0 and below 1, not {self.label_smoothing}")


@layer_types.register("MultiLabelLoss")
class MultiLabelLoss(UntrainedLayer):
    """The cross-entropy of the softmax of the scores with the labels as a distribution, over the batch; a scalar.

    Bottoms: scores and labels, (N, C), each row of labels with at least one 1. Smoothed labels are (1 - s) labels +
    1 / C; rows are then divided by their sums. With labels alike and no smoothing it is the mean of SoftmaxWithLoss
    over all of them. Source: Ruffinelli et al. 2020, section 3.2, as LibKGE computes it (`kl` with KvsAll).
    """

    parameters_type = MultiLabelLossParameters
    parameters_field = "multi_label_loss_param"
    bottom_counts = range(2, 3)
    default_loss_weights = (1.0,)

    @classmethod
    def top_shapes(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> tuple[TensorShape, ...]:
        if bottoms[0].dims != bottoms[1].dims:
            raise spec.error(f"scores and labels must have one shape, not {bottoms[0]} and {bottoms[1]}")
        return (TensorShape(()),)

    @classmethod
    def keeps_scale(cls, spec: LayerSpec) -> bool:
        return False

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        scores, labels = bottoms
        parameters = self.spec.parameters
        counts = labels.sum(1, keepdim=True)
        if parameters.label_smoothing:
            labels = (1 - parameters.label_smoothing) * labels + 1 / labels.shape[1]
        shares = labels / labels.sum(1, keepdim=True)
        losses = -(shares * functional.log_softmax(scores, 1)).sum(1, keepdim=True)
        if parameters.alike is Alike.ROWS:
            return (losses.mean(),)
        return ((losses * counts).sum() / counts.sum(),)
