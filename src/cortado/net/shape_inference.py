"""The shape of every blob, from the shapes of the inputs."""

from __future__ import annotations

from dataclasses import replace

from cortado.errors import GraphError
from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec, NetSpec
from cortado.layers.layer import is_input, layer_types


def infer_shapes(net: NetSpec, *, batch: int | None = None) -> dict[str, TensorShape]:
    """Shape of each blob by name; `batch` replaces the outermost dimension of every input.

    An in-place layer keeps its blob's shape or it is refused. Raises `LayerError` naming the layer that does not fit.
    """
    shapes: dict[str, TensorShape] = {}
    for layer in net.layers:
        tops = layer_types[layer.type].shapes(layer, bottom_shapes(layer, shapes))
        if is_input(layer) and batch is not None:
            tops = tuple(_with_batch(layer, top, batch) for top in tops)
        for fused in layer.fused:
            tops = layer_types[fused.type].shapes(fused, tops)
        for top, shape in zip(layer.tops, tops, strict=True):
            if shapes.get(top, shape) != shape:
                raise layer.error(f"top '{top}' is computed in place and must keep the shape {shapes[top]}, "
                                  f"not {shape}")
            shapes[top] = shape
    return shapes


def bottom_shapes(layer: LayerSpec, shapes: dict[str, TensorShape]) -> tuple[TensorShape, ...]:
    """Shapes of the layer's bottoms, of all the network's."""
    return tuple(shapes[bottom] for bottom in layer.bottoms)


def count_macs(net: NetSpec, shapes: dict[str, TensorShape]) -> dict[str, int]:
    """Multiply-accumulates of each layer by name, over the whole batch, fused layers included."""
    macs = {}
    for layer in net.layers:
        own = layer_types[layer.type].macs(layer, bottom_shapes(layer, shapes))
        tops = tuple(shapes[top] for top in layer.tops)
        macs[layer.name] = own + sum(layer_types[fused.type].macs(fused, tops) for fused in layer.fused)
    return macs


def unfused(layer: LayerSpec) -> tuple[LayerSpec, ...]:
    """The layer by itself and the layers fused into it, in the order they run."""
    return (replace(layer, fused=()), *layer.fused)


def _with_batch(layer: LayerSpec, shape: TensorShape, batch: int) -> TensorShape:
    try:
        return shape.with_batch(batch)
    except GraphError as error:
        raise layer.error(f"batch {batch}: {error}") from None
