"""Input: blobs the caller fills."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from cortado.errors import FieldError, GraphError
from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec
from cortado.layers.layer import UntrainedLayer, layer_types


@dataclass(frozen=True, kw_only=True)
class BlobShape:
    """Caffe's BlobShape: the dimensions as the file gives them."""

    dim: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if not self.dim:
            raise FieldError("dim", "must have at least one value")
        for index, dim in enumerate(self.dim):
            if dim < 1:
                raise FieldError("dim", f"must be at least 1, not {dim}", index=index)
        try:
            TensorShape(self.dim)
        except GraphError as error:
            raise FieldError("dim", f"must give a legal blob: {error}") from None


@dataclass(frozen=True, kw_only=True)
class InputParameters:
    """One shape for all tops, or one per top."""

    shape: tuple[BlobShape, ...] = ()


@layer_types.register("Input")
class Input(UntrainedLayer):
    """The network's inputs; each top has the shape the file declares."""

    parameters_type = InputParameters
    parameters_field = "input_param"
    filled_by_caller = True
    bottom_counts = range(1)
    top_counts = range(1, 1025)

    @classmethod
    def top_shapes(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> tuple[TensorShape, ...]:
        shapes = spec.parameters.shape
        if len(shapes) not in (1, len(spec.tops)):
            raise spec.error(f"input_param must have one shape for all tops or one for each of {len(spec.tops)}, "
                             f"not {len(shapes)}")
        dims = [shape.dim for shape in shapes] * (len(spec.tops) if len(shapes) == 1 else 1)
        return tuple(TensorShape(dim) for dim in dims)

    @classmethod
    def keeps_scale(cls, spec: LayerSpec) -> bool:
        return False

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        raise RuntimeError("a Net takes the values of its inputs from its caller")
