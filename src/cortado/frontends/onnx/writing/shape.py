"""Inputs and constants; blobs in other dimensions, another order, apart and together."""

from __future__ import annotations

import numpy as np

from cortado.frontends.onnx.writing.graph import Graph
from cortado.frontends.onnx.writing.layer_writer import Written, layer_writers
from cortado.frontends.onnx.writing.reshaped import add_reshape
from cortado.layers.element_type import ElementType
from cortado.layers.layer import canonical_axis
from cortado.layers.pad import PadMode
from cortado.layers.resize import CoordinateMode, Interpolation


@layer_writers.register("Input")
def network_input(layer: Written, graph: Graph) -> None:
    for name in layer.outputs:
        graph.add_input(name)


@layer_writers.register("Parameter")
def parameter(layer: Written, graph: Graph) -> None:
    graph.named_constant(layer.y, layer.blobs[0])


@layer_writers.register("Split")
def split(layer: Written, graph: Graph) -> None:
    for index, output in enumerate(layer.outputs):
        graph.node(layer, "Identity", (layer.x,), output, part=f"copy{index}" if index else "")


@layer_writers.register("Silence")
def silence(layer: Written, graph: Graph) -> None:
    """It makes nothing."""


@layer_writers.register("Flatten", "Reshape")
def reshape(layer: Written, graph: Graph) -> None:
    dims, before = layer.tops[0].dims, layer.bottoms[0].dims
    if len(dims) == 2 and dims[:1] == before[:1] and len(before) > 1:
        graph.node(layer, "Flatten", (layer.x,), axis=1)
    else:
        add_reshape(layer, graph, layer.x, dims, before)


@layer_writers.register("Permute")
def permute(layer: Written, graph: Graph) -> None:
    graph.node(layer, "Transpose", (layer.x,), perm=layer.parameters.order)


@layer_writers.register("Concat")
def concat(layer: Written, graph: Graph) -> None:
    graph.node(layer, "Concat", layer.inputs, axis=layer.parameters.along)


@layer_writers.register("Slice")
def cut_apart(layer: Written, graph: Graph) -> None:
    axis = canonical_axis(layer.spec, layer.parameters.along, layer.bottoms[0].rank)
    sizes = graph.integers(layer, [top.dims[axis] for top in layer.tops], "sizes")
    graph.node(layer, "Split", (layer.x, sizes), layer.outputs, axis=axis)


@layer_writers.register("Crop")
def crop(layer: Written, graph: Graph) -> None:
    axis = canonical_axis(layer.spec, layer.parameters.axis, layer.bottoms[0].rank)
    axes = list(range(axis, layer.bottoms[0].rank))
    given = layer.parameters.offset or (0,)
    starts = list(given) * (len(axes) if len(given) == 1 else 1)
    ends = [start + layer.tops[0].dims[place] for start, place in zip(starts, axes, strict=True)]
    _slice(layer, graph, axes, starts, ends, [1] * len(axes))


@layer_writers.register("StridedSlice")
def strided_slice(layer: Written, graph: Graph) -> None:
    parameters = layer.parameters
    ends = []
    for start, count, step in zip(parameters.start, parameters.count, parameters.step, strict=True):
        end = start + (count - 1) * step + (1 if step > 0 else -1)
        # Before the front is no place that counts from the end.
        ends.append(end if end >= 0 else -2**31)
    _slice(layer, graph, parameters.axis, parameters.start, ends, parameters.step)


@layer_writers.register("Pad")
def pad(layer: Written, graph: Graph) -> None:
    parameters, element = layer.parameters, layer.elements[0]
    pads = graph.integers(layer, (*parameters.begin, *parameters.end), "pads")
    values = []
    if parameters.mode is PadMode.CONSTANT:
        values.append(graph.constant(layer, np.array(parameters.value, element.numpy), "value"))
    graph.node(layer, "Pad", (layer.x, pads, *values), mode=parameters.mode.name.lower())


@layer_writers.register("Expand")
def expand(layer: Written, graph: Graph) -> None:
    graph.node(layer, "Expand", (layer.x, graph.integers(layer, layer.parameters.dim, "dims")))


@layer_writers.register("Gather")
def gather(layer: Written, graph: Graph) -> tuple[ElementType, ...]:
    if layer.elements[1] not in (ElementType.INT32, ElementType.INT64):
        raise layer.spec.error(f"the places of a Gather must be INT32 or INT64 to be written, not "
                               f"{layer.elements[1].name}")
    graph.node(layer, "Gather", layer.inputs, axis=layer.parameters.axis)
    return (layer.elements[0],)


@layer_writers.register("Resize")
def resize(layer: Written, graph: Graph) -> None:
    """By scales, which say more than sizes; where their sizes are others, by sizes."""
    parameters = layer.parameters
    dims = [layer.bottoms[0].dims[axis] for axis in parameters.axis]
    scales = np.array(parameters.scale, np.float32)
    attributes = {"axes": parameters.axis, "mode": parameters.interpolation.name.lower(),
                  "coordinate_transformation_mode": parameters.coordinate_mode.name.lower(),
                  "antialias": int(parameters.antialias), "exclude_outside": int(parameters.exclude_outside),
                  "extrapolation_value": parameters.extrapolation_value}
    if parameters.interpolation is Interpolation.NEAREST:
        attributes["nearest_mode"] = parameters.nearest_mode.name.lower()
    elif parameters.interpolation is Interpolation.CUBIC:
        attributes["cubic_coeff_a"] = parameters.cubic_coeff_a
    roi = ""
    if parameters.coordinate_mode is CoordinateMode.TF_CROP_AND_RESIZE:
        roi = graph.constant(layer, np.array((*parameters.roi_start, *parameters.roi_end), np.float32), "roi")
    if tuple(size / before for size, before in zip(parameters.size, dims, strict=True)) == parameters.scale:
        graph.node(layer, "Resize", (layer.x, roi, "", graph.integers(layer, parameters.size, "sizes")), **attributes)
    elif tuple(float(scale) for scale in scales) == parameters.scale and all(
            int(scale * before) == size for scale, before, size in zip(parameters.scale, dims, parameters.size,
                                                                      strict=True)):
        graph.node(layer, "Resize", (layer.x, roi, graph.constant(layer, scales, "scales")), **attributes)
    else:
        raise layer.spec.error("scales and sizes of a Resize must follow from each other to be written")


def _slice(layer: Written, graph: Graph, axes: object, starts: object, ends: object, steps: object) -> None:
    inputs = [graph.integers(layer, values, part) for values, part in (
        (starts, "starts"), (ends, "ends"), (axes, "axes"), (steps, "steps"))]
    graph.node(layer, "Slice", (layer.x, *inputs))
