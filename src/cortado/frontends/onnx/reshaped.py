"""The layer that gives a blob other dimensions. No operator lives here."""

from __future__ import annotations

import math

from cortado.frontends.onnx.node import Node
from cortado.frontends.onnx.translation import Blob, Translation
from cortado.layers.flatten import FlattenParameters
from cortado.layers.reshape import COPIED, NewShape, ReshapeParameters


def add_reshape(node: Node, net: Translation, bottom: Blob, dims: tuple[int, ...], *, part: str = "") -> Blob:
    """The bottom with `dims`, in no layer if it has them; raises `ModelFileError` where its values do not fit.

    A batch that stays as it is may be another one when the network runs.
    """
    found = bottom.shape.dims
    if math.prod(dims) != bottom.shape.count:
        raise node.error(f"the new shape must have the {bottom.shape.count} values of input 0, not {math.prod(dims)}")
    if dims == found:
        return bottom
    if len(dims) == 2 and len(found) > 2 and dims[0] == found[0]:
        return net.add(node, "Flatten", (bottom,), FlattenParameters(), part=part)
    kept = bool(dims) and dims[0] == found[0]
    shape = NewShape(dim=(COPIED, *dims[1:]) if kept else dims)
    return net.add(node, "Reshape", (bottom,), ReshapeParameters(shape=shape), part=part)
