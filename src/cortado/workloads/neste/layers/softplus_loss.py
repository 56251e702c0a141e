"""SoftplusLoss: true facts should score high, corrupted ones low."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec
from cortado.layers.layer import NoParameters, UntrainedLayer, layer_types


@layer_types.register("SoftplusLoss")
class SoftplusLoss(UntrainedLayer):
    """(mean of log(1 + exp(-p)) over true scores p + mean of log(1 + exp(q)) over corrupted ones q) / 2; a scalar.

    Bottoms: true and corrupted scores, of any shapes. Source: Xiong et al. 2024, equation 10, averaged as in the
    authors' `SoftplusLoss`.
    """

    parameters_type = NoParameters
    parameters_field = "softplus_loss_param"
    bottom_counts = range(2, 3)
    default_loss_weights = (1.0,)

    @classmethod
    def top_shapes(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> tuple[TensorShape, ...]:
        return (TensorShape(()),)

    @classmethod
    def keeps_scale(cls, spec: LayerSpec) -> bool:
        return False

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        true, corrupted = bottoms
        return ((functional.softplus(-true).mean() + functional.softplus(corrupted).mean()) / 2,)
