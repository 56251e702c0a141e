"""MultinomialLogisticLoss: cross entropy of probabilities against labels."""

from __future__ import annotations

from torch import Tensor

from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec
from cortado.layers.label import LEAST_PROBABILITY, check_row_labels, row_labels
from cortado.layers.layer import NoParameters, UntrainedLayer, layer_types


@layer_types.register("MultinomialLogisticLoss")
class MultinomialLogisticLoss(UntrainedLayer):
    """-sum of log p[label] over N; a probability below 1e-20 counts as 1e-20.

    Bottoms: probabilities (N, ...) and labels, one for each row; the top is a scalar. Source: Caffe's
    `multinomial_logistic_loss_layer.cpp`.
    """

    parameters_type = NoParameters
    parameters_field = "multinomial_logistic_loss_param"
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
        probabilities, labels = row_labels(self.spec, bottoms)
        chosen = probabilities.gather(1, labels[:, None])
        return (-chosen.clamp(min=LEAST_PROBABILITY).log().sum() / len(labels),)
