"""ContrastiveLoss: pulls pairs of a kind together and pushes others a margin apart."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from cortado.errors import FieldError
from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec
from cortado.layers.layer import UntrainedLayer, layer_types


@dataclass(frozen=True, kw_only=True)
class ContrastiveLossParameters:
    """Caffe's ContrastiveLossParameter; `legacy_version` takes the margin from the squared distance."""

    margin: float = 1.0
    legacy_version: bool = False

    def __post_init__(self) -> None:
        if self.margin < 0:
            raise FieldError("margin", f"must be at least 0, not {self.margin}")


@layer_types.register("ContrastiveLoss")
class ContrastiveLoss(UntrainedLayer):
    """sum of y d**2 + (1 - y) max(margin - d, 0)**2 over 2 N, with d the distance of two rows; the top is a scalar.

    Bottoms: features (N, C) and (N, C), also with dimensions of 1 behind, and y, one value a row, 1 for a pair of one
    kind. Source: Hadsell et al. 2006, equation 4.
    """

    parameters_type = ContrastiveLossParameters
    parameters_field = "contrastive_loss_param"
    bottom_counts = range(3, 4)
    default_loss_weights = (1.0,)

    @classmethod
    def top_shapes(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> tuple[TensorShape, ...]:
        first, second, same = bottoms
        if first.rank < 2 or first.count != first.dims[0] * first.dims[1]:
            raise spec.error(f"bottom '{spec.bottoms[0]}' must be rows of features (N, C), not {first}")
        if second.dims[:2] != first.dims[:2] or second.count != first.count:
            raise spec.error(f"bottom '{spec.bottoms[1]}' must have the rows of bottom '{spec.bottoms[0]}' ({first}), "
                             f"not {second}")
        if same.count != first.dims[0]:
            raise spec.error(f"bottom '{spec.bottoms[2]}' must have one value for each of {first.dims[0]} rows, "
                             f"not {same.count}")
        return (TensorShape(()),)

    @classmethod
    def keeps_scale(cls, spec: LayerSpec) -> bool:
        return False

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        parameters = self.spec.parameters
        same = bottoms[2].flatten()
        squares = (bottoms[0].flatten(1) - bottoms[1].flatten(1)).square().sum(1)
        if parameters.legacy_version:
            apart = (parameters.margin - squares).clamp(min=0)
        else:
            # The root has no gradient at 0: rows that are equal stay where they are, as in Caffe.
            distances = squares.clamp(min=1e-12).sqrt()
            apart = (parameters.margin - distances).clamp(min=0).square()
        return ((same * squares + (1 - same) * apart).sum() / (2 * len(squares)),)
