"""Embed: a trained vector for each whole number."""

from __future__ import annotations

from dataclasses import dataclass, field

from torch import Tensor
from torch.nn import functional

from cortado.errors import FieldError
from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec
from cortado.layers.filler import Filler
from cortado.layers.layer import Layer, layer_types


@dataclass(frozen=True, kw_only=True)
class EmbedParameters:
    """Caffe's EmbedParameter: `input_dim` numbers, vectors of `num_output`."""

    num_output: int
    input_dim: int
    bias_term: bool = True
    weight_filler: Filler = field(default_factory=Filler)
    bias_filler: Filler = field(default_factory=Filler)

    def __post_init__(self) -> None:
        for name in ("num_output", "input_dim"):
            if getattr(self, name) < 1:
                raise FieldError(name, f"must be at least 1, not {getattr(self, name)}")


@layer_types.register("Embed")
class Embed(Layer):
    """Row i of the weight for each number i, plus the bias: (...) -> (..., num_output).

    Blobs: weight (input_dim, num_output), bias (num_output,) unless `bias_term` is false. Source: Caffe's
    `embed_layer.cpp`.
    """

    parameters_type = EmbedParameters
    parameters_field = "embed_param"

    @classmethod
    def top_shapes(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> tuple[TensorShape, ...]:
        return (TensorShape((*bottoms[0].dims, spec.parameters.num_output)),)

    @classmethod
    def blob_shapes(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> tuple[TensorShape, ...]:
        parameters = spec.parameters
        weight = TensorShape((parameters.input_dim, parameters.num_output))
        return (weight, TensorShape((parameters.num_output,))) if parameters.bias_term else (weight,)

    @classmethod
    def macs(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> int:
        return 0

    @classmethod
    def keeps_scale(cls, spec: LayerSpec) -> bool:
        return False

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        numbers, rows = bottoms[0].long(), self.spec.parameters.input_dim
        if numbers.numel() and (int(numbers.min()) < 0 or int(numbers.max()) >= rows):
            raise self.spec.error(f"numbers must be from 0 to {rows - 1}, bottom '{self.spec.bottoms[0]}' has "
                                  f"{int(numbers.min())} to {int(numbers.max())}")
        vectors = functional.embedding(numbers, self.blobs[0])
        return (vectors + self.blobs[1] if self.spec.parameters.bias_term else vectors,)
