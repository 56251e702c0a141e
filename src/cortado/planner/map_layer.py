"""Formats of the layers that run from map to map."""

from __future__ import annotations

from collections.abc import Mapping

from cortado.engines.map_layer import MapOperation, integer_pooling
from cortado.errors import ConfigurationError, PlanError
from cortado.graph.spec import LayerSpec
from cortado.layers.pooling import PoolMethod
from cortado.numerics.elementwise_add import IntegerAdd


def quantise_map_layer(layer: LayerSpec, scales: Mapping[str, float]) -> MapOperation:
    """The integer form of a Pooling or Eltwise layer; int8 in and out, with the scales of its blobs.

    A maximum keeps its numbers: its blobs have one scale. Raises `PlanError` naming the layer when its scales cannot be
    represented.
    """
    step = scales[layer.tops[0]]
    try:
        if layer.type == "Pooling":
            maximum = layer.parameters.pool is PoolMethod.MAX
            return integer_pooling(layer, 1.0 if maximum else scales[layer.bottoms[0]] / step)
        coefficients = layer.parameters.coeff or (1.0, 1.0)
        first, second = (scales[bottom] * coefficient / step
                         for bottom, coefficient in zip(layer.bottoms, coefficients, strict=True))
        return IntegerAdd.from_scale((first, second))
    except ConfigurationError as error:
        raise PlanError(f"layer '{layer.name}': {error}; keep the layer on the host (--host {layer.name})") from None
