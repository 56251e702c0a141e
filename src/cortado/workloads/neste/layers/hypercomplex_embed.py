"""HypercomplexEmbed: a trained vector of hypercomplex numbers for each whole number."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from torch import Tensor
from torch.nn import functional

from cortado.errors import FieldError
from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec
from cortado.layers.embed import Embed, EmbedParameters
from cortado.layers.filler import Filler
from cortado.layers.layer import layer_types
from cortado.workloads.neste.algebra import COMPONENTS


@dataclass(frozen=True, kw_only=True)
class HypercomplexEmbedParameters(EmbedParameters):
    """As of Embed; `num_output` counts real numbers. It has no bias, and its own way to fill the weight."""

    bias_term: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.num_output % COMPONENTS:
            raise FieldError("num_output", f"must be a multiple of {COMPONENTS}, the components of a number, not "
                                           f"{self.num_output}")
        if self.bias_term:
            raise FieldError("bias_term", "must be false, there is no bias")
        for name in ("weight_filler", "bias_filler"):
            if getattr(self, name) != Filler():
                raise FieldError(name, "must not be given: the weight has a filling of its own")


@layer_types.register("HypercomplexEmbed")
class HypercomplexEmbed(Embed):
    """Row i of the weight for each number i: (...) -> (..., 4 k), all first components before all second ones.

    A weight of n rows begins with numbers m (cos p + u sin p): m uniform from -s to s with s = 1 / sqrt(2 n), p
    uniform from -pi to pi, u an imaginary unit in the positive octant. Source: `quaternion_init` of the authors' code,
    after Zhang et al. 2019, "Quaternion Knowledge Graph Embeddings", section 4.2.
    """

    parameters_type = HypercomplexEmbedParameters
    parameters_field = "embed_param"

    @classmethod
    def seeded_blobs(cls, spec: LayerSpec, shapes: tuple[TensorShape, ...],
                     generator: np.random.Generator) -> tuple[np.ndarray, ...]:
        return cls.filled_blobs(spec, shapes, generator)

    @classmethod
    def filled_blobs(cls, spec: LayerSpec, shapes: tuple[TensorShape, ...],
                     generator: np.random.Generator) -> tuple[np.ndarray, ...]:
        rows, width = shapes[0].dims
        numbers = (rows, 1, width // COMPONENTS)
        unit = generator.uniform(0, 1, (rows, COMPONENTS - 1, width // COMPONENTS))
        unit /= np.sqrt((unit**2).sum(1, keepdims=True))
        largest = 1 / math.sqrt(2 * rows)
        modulus = generator.uniform(-largest, largest, numbers)
        phase = generator.uniform(-math.pi, math.pi, numbers)
        weight = np.concatenate([modulus * np.cos(phase), modulus * np.sin(phase) * unit], 1)
        return (weight.reshape(rows, width).astype(np.float32),)

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        # Its numbers come from data layers that know the rows. Sparse: one table has a dozen such layers in a network.
        return (functional.embedding(bottoms[0].long(), self.blobs[0], sparse=True),)
