"""The node that gives a value other dimensions. No layer type lives here."""

from __future__ import annotations

from cortado.frontends.onnx.writing.graph import Graph
from cortado.frontends.onnx.writing.layer_writer import Written


def add_reshape(layer: Written, graph: Graph, x: str, dims: tuple[int, ...], before: tuple[int, ...], *,
                part: str = "") -> str:
    """`x` with `dims`; a batch that stays as it is may be another one when the network runs."""
    kept = bool(dims) and dims[:1] == before[:1]
    return graph.node(layer, "Reshape", (x, graph.integers(layer, (0, *dims[1:]) if kept else dims, f"{part}dims")),
                      part=part)
