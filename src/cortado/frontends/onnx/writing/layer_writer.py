"""The registry of what each layer type becomes, and one layer as a writer sees it. No layer type lives here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec
from cortado.layers.element_type import ElementType
from cortado.registry import Registry

if TYPE_CHECKING:
    from cortado.frontends.onnx.writing.graph import Graph

# What a layer type adds to a graph; gives the element type of each top, None where all are that of the first bottom.
layer_writers: Registry[Callable[[Written, Graph], tuple[ElementType, ...] | None]] = Registry("layer type")


@dataclass(frozen=True, kw_only=True)
class Written:
    """A layer with what is known of it: names of values in the graph, shapes, element types and trained blobs."""

    spec: LayerSpec
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    bottoms: tuple[TensorShape, ...]
    tops: tuple[TensorShape, ...]
    elements: tuple[ElementType, ...]
    blobs: tuple[np.ndarray, ...]

    @property
    def parameters(self) -> object:
        """The layer type's own."""
        return self.spec.parameters

    @property
    def x(self) -> str:
        """The first bottom."""
        return self.inputs[0]

    @property
    def y(self) -> str:
        """The first top."""
        return self.outputs[0]
