"""Filter: the pictures of a batch that are selected."""

from __future__ import annotations

from torch import Tensor

from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec
from cortado.layers.layer import NoParameters, UntrainedLayer, layer_types


@layer_types.register("Filter")
class Filter(UntrainedLayer):
    """Of each bottom but the last the pictures for which the last, one number a picture, is not 0.

    How many those are is known only while it runs; its shape rule gives as many as there are at most. Source: Caffe's
    `filter_layer.cpp`.
    """

    parameters_type = NoParameters
    parameters_field = "filter_param"
    bottom_counts = range(2, 1025)
    top_counts = range(1, 1024)

    @classmethod
    def top_shapes(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> tuple[TensorShape, ...]:
        *values, selector = bottoms
        if len(spec.tops) != len(values):
            raise spec.error(f"Filter must have one top for each of its {len(values)} bottoms but the last, not "
                             f"{len(spec.tops)}")
        for name, value in zip(spec.bottoms, values, strict=False):
            if not selector.rank or value.dims[:1] != selector.dims[:1] or selector.count != selector.dims[0]:
                raise spec.error(f"bottom '{spec.bottoms[-1]}' must have one number for each picture of bottom "
                                 f"'{name}' ({value}), not {selector}")
        return tuple(values)

    @classmethod
    def keeps_scale(cls, spec: LayerSpec) -> bool:
        return True

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        *values, selector = bottoms
        chosen = selector.flatten().nonzero()[:, 0]
        return tuple(value.index_select(0, chosen) for value in values)
