"""What every layer type answers, and the registry that finds it by name."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from cortado.errors import GraphError, LayerError
from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec
from cortado.layers.filler import Filler
from cortado.registry import Registry

layer_types: Registry[type[Layer]] = Registry("layer type", workload_part="layers")


class CaffeEngine(Enum):
    """Caffe's choice of implementation inside a layer type; `OCL` is the FPGA in the paper's fork."""

    DEFAULT = 0
    CAFFE = 1
    CUDNN = 2
    OCL = 3


@dataclass(frozen=True, kw_only=True)
class NoParameters:
    """Of a type that has none."""


class Layer(nn.Module):
    """A runnable layer made from its frozen spec and the shapes of its bottoms.

    A subclass is one file: it states the class attributes, answers the class methods from `spec.parameters` alone
    (shape before data) and computes in `forward`, which takes any batch size. Trained blobs are in `blobs`, in
    Caffe's order, and hold no values until a `Net` fills them.
    """

    # The frozen dataclass of the type's parameters, checked in its own `__post_init__` (which raises `FieldError`).
    parameters_type: ClassVar[type]
    # The field of a prototxt layer that holds them.
    parameters_field: ClassVar[str]
    # Fields of them that old files write in the layer itself.
    layer_fields: ClassVar[tuple[str, ...]] = ()
    # How many bottoms and tops a layer of this type may have.
    bottom_counts: ClassVar[range] = range(1, 2)
    top_counts: ClassVar[range] = range(1, 2)
    # Whether the caller of the network gives the values of its tops; other types without bottoms make their own.
    filled_by_caller: ClassVar[bool] = False
    # Caffe's default weight of each top in the loss; tops beyond the tuple have weight 0.
    default_loss_weights: ClassVar[tuple[float, ...]] = ()

    def __init__(self, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> None:
        super().__init__()
        self.spec = spec
        self.blobs = nn.ParameterList(
            nn.Parameter(torch.empty(shape.dims)) for shape in self.blob_shapes(spec, bottoms)
        )

    @classmethod
    def shapes(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> tuple[TensorShape, ...]:
        """The checked shapes of the tops; raises `LayerError` for wrong counts or shapes."""
        for kind, names, counts in (("bottom", spec.bottoms, cls.bottom_counts), ("top", spec.tops, cls.top_counts)):
            if len(names) not in counts:
                raise spec.error(f"{spec.type} must have {_count_words(counts, kind)}, not {len(names)}")
        try:
            tops = cls.top_shapes(spec, bottoms)
            cls.blob_shapes(spec, bottoms)
        except LayerError:
            raise
        except GraphError as error:
            raise spec.error(str(error)) from None
        return tops

    @classmethod
    def top_shapes(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> tuple[TensorShape, ...]:
        """Shapes of the tops; raises `LayerError` where the bottoms do not fit."""
        raise NotImplementedError

    @classmethod
    def blob_shapes(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> tuple[TensorShape, ...]:
        """Shapes of the trained blobs, weight before bias."""
        raise NotImplementedError

    @classmethod
    def macs(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> int:
        """Multiply-accumulates of one forward pass over the whole batch."""
        raise NotImplementedError

    @classmethod
    def keeps_scale(cls, spec: LayerSpec) -> bool:
        """Whether each top only holds values of the bottoms (and zero), so that one quantisation scale serves all."""
        raise NotImplementedError

    @classmethod
    def seeded_blobs(cls, spec: LayerSpec, shapes: tuple[TensorShape, ...],
                     generator: np.random.Generator) -> tuple[np.ndarray, ...]:
        """Values, float32, of the trained blobs of a layer nobody has trained.

        Unless a type says otherwise: a He-normal weight (std sqrt(2 / fan in)) and biases 0.
        Source: He et al. 2015, "Delving Deep into Rectifiers", equation 10.
        """
        if not shapes:
            return ()
        weight, *biases = shapes
        deviation = math.sqrt(2 / math.prod(weight.dims[1:]))
        values = (generator.standard_normal(weight.dims) * deviation).astype(np.float32)
        return (values, *(np.zeros(bias.dims, np.float32) for bias in biases))

    @classmethod
    def fillers(cls, spec: LayerSpec) -> tuple[Filler, ...]:
        """How the file says its trained blobs are filled before training, in their order.

        Unless a type says otherwise: `weight_filler`, then `bias_filler`, also where it has no bias.
        """
        return (spec.parameters.weight_filler, spec.parameters.bias_filler)

    @classmethod
    def filled_blobs(cls, spec: LayerSpec, shapes: tuple[TensorShape, ...],
                     generator: np.random.Generator) -> tuple[np.ndarray, ...]:
        """Values, float32, of the trained blobs of a layer that is going to be trained: what its fillers say."""
        try:
            return tuple(filler.fill(shape.dims, generator)
                         for filler, shape in zip(cls.fillers(spec), shapes, strict=False))
        except GraphError as error:
            raise spec.error(str(error)) from None

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        """Values of the tops."""
        raise NotImplementedError


class UntrainedLayer(Layer):
    """A layer type without trained blobs and without multiply-accumulates worth counting."""

    @classmethod
    def blob_shapes(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> tuple[TensorShape, ...]:
        return ()

    @classmethod
    def macs(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> int:
        return 0

    @classmethod
    def fillers(cls, spec: LayerSpec) -> tuple[Filler, ...]:
        return ()


class ElementwiseLayer(UntrainedLayer):
    """A layer type with one bottom and a top of its shape."""

    @classmethod
    def top_shapes(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> tuple[TensorShape, ...]:
        return bottoms


def is_input(spec: LayerSpec) -> bool:
    """Whether the caller of the network gives the values of the layer's tops."""
    return layer_types[spec.type].filled_by_caller


def canonical_axis(spec: LayerSpec, axis: int, rank: int) -> int:
    """`axis` counted from the front, where negative ones count from the end; `LayerError` if there is no such axis."""
    if not -rank <= axis < rank:
        raise spec.error(f"axis must be from {-rank} to {rank - 1} for a bottom of {rank} dimensions, not {axis}")
    return axis % rank


def _count_words(counts: range, kind: str) -> str:
    low, high = counts[0], counts[-1]
    words = f"{low}" if low == high else f"{low} to {high}"
    return f"{words} {kind}{'' if high == 1 else 's'}"
