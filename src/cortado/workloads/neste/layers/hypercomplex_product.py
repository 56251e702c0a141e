"""HypercomplexProduct: what an entity and a relation say of the entity at the other end."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from torch import Tensor

from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec
from cortado.layers.layer import UntrainedLayer, layer_types
from cortado.workloads.neste.algebra import COMPONENTS, Algebra, normalised


class Asked(Enum):
    """Which end of a fact is asked for."""

    TAIL = 0
    HEAD = 1


@dataclass(frozen=True, kw_only=True)
class ProductParameters:
    """Parameters of the products: the algebra, and the end that is asked for."""

    algebra: Algebra
    asked: Asked


@layer_types.register("HypercomplexProduct")
class HypercomplexProduct(UntrainedLayer):
    """The vector whose dot product with a candidate is the score of the triple with it, and what is added to that.

    The score of (h, r, t) is <(h + p) r', t>, where r' is r with every number over its length and p the relation's
    translation or 0. It is linear in h and in t. Bottoms (N, 4 k): the known end, r, and p where there is one. Tops:
    the vector (N, 4 k), then, where p is given and the head is asked for, the part (N,) of the score that no head
    changes. Source: Xiong et al. 2024, equations 1 to 3 and 9.
    """

    parameters_type = ProductParameters
    parameters_field = "product_param"
    bottom_counts = range(2, 4)
    top_counts = range(1, 3)

    @classmethod
    def top_shapes(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> tuple[TensorShape, ...]:
        widths = {bottom.dims[1:] for bottom in bottoms}
        if len(widths) != 1 or bottoms[0].rank != 2 or bottoms[0].dims[1] % COMPONENTS:
            raise spec.error(f"all bottoms must be of one shape (N, {COMPONENTS} k)")
        check_offset(spec, 2)
        return (bottoms[0], TensorShape(bottoms[0].dims[:1]))[:len(spec.tops)]

    @classmethod
    def macs(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> int:
        return COMPONENTS * bottoms[0].count

    @classmethod
    def keeps_scale(cls, spec: LayerSpec) -> bool:
        return False

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        known, relation, *translation = (bottom.unflatten(1, (COMPONENTS, -1)) for bottom in bottoms)
        parameters = self.spec.parameters
        matrix = parameters.algebra.matrix(normalised(relation))
        if parameters.asked is Asked.TAIL:
            moved = known + translation[0] if translation else known
            return ((matrix * moved[:, None]).sum(2).flatten(1),)
        vector = (matrix * known[:, :, None]).sum(1)
        offsets = ((vector * translation[0]).sum((1, 2)),) if translation else ()
        return (vector.flatten(1), *offsets)


def check_offset(spec: LayerSpec, without_translation: int) -> None:
    """There is a second top exactly where the head is asked for and a translation given; else `LayerError`."""
    translated = len(spec.bottoms) > without_translation
    wanted = 2 if translated and spec.parameters.asked is Asked.HEAD else 1
    if len(spec.tops) != wanted:
        raise spec.error(f"it must have {wanted} top{'s' if wanted > 1 else ''}, not {len(spec.tops)}: the second is "
                         "what a translation adds to the score of every head")
