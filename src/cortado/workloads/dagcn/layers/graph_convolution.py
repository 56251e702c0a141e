"""GraphConvolution: Kipf and Welling's, the baseline."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor
from torch.nn import functional

from cortado.errors import FieldError
from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec
from cortado.layers.filler import Filler
from cortado.layers.layer import Layer, layer_types


@dataclass(frozen=True, kw_only=True)
class GraphConvolutionParameters:
    """Parameters of GraphConvolution."""

    num_output: int
    weight_filler: Filler = field(default_factory=Filler)
    bias_filler: Filler = field(default_factory=Filler)

    def __post_init__(self) -> None:
        if self.num_output < 1:
            raise FieldError("num_output", f"must be at least 1, not {self.num_output}")


@layer_types.register("GraphConvolution")
class GraphConvolution(Layer):
    """D^(-1/2) (A + I) D^(-1/2) X W^T + b, where D holds the row sums of A + I.

    Bottoms: nodes X (N, d), adjacency A, sparse (N, N). Top: (N, K). Blobs: W (K, d), b (K,). Source: Kipf & Welling
    2017, "Semi-Supervised Classification with Graph Convolutional Networks", equation 2.
    """

    parameters_type = GraphConvolutionParameters
    parameters_field = "graph_convolution_param"
    bottom_counts = range(2, 3)

    @classmethod
    def top_shapes(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> tuple[TensorShape, ...]:
        nodes, adjacency = bottoms
        if nodes.rank != 2 or adjacency.dims != nodes.dims[:1] * 2:
            raise spec.error(f"bottoms must be nodes N x d and their adjacency N x N, not {nodes} and {adjacency}")
        return (TensorShape((nodes.dims[0], spec.parameters.num_output)),)

    @classmethod
    def blob_shapes(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> tuple[TensorShape, ...]:
        outputs = spec.parameters.num_output
        return (TensorShape((outputs, bottoms[0].dims[1])), TensorShape((outputs,)))

    @classmethod
    def macs(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> int:
        """Of the product with W; how many edges there are is not known here."""
        return bottoms[0].count * spec.parameters.num_output

    @classmethod
    def keeps_scale(cls, spec: LayerSpec) -> bool:
        return False

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        nodes, adjacency = bottoms
        root = (1 + torch.sparse.sum(adjacency, 1).to_dense()).rsqrt()[:, None]
        features = root * functional.linear(nodes, self.blobs[0])
        return (root * (torch.sparse.mm(adjacency, features) + features) + self.blobs[1],)
