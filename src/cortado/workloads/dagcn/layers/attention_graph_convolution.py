"""AttentionGraphConvolution: what a node's neighbourhoods of 1 to k hops say of it, weighed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from cortado.errors import FieldError
from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec
from cortado.layers.filler import Filler, VarianceNorm
from cortado.layers.layer import Layer, layer_types
from cortado.workloads.dagcn.node_norm import BLOBS, keep_from_training, node_norm, norm_fillers, norm_shapes

GLOROT = Filler(type="xavier", variance_norm=VarianceNorm.AVERAGE)
HOP_BLOBS = 2 + BLOBS


@dataclass(frozen=True, kw_only=True)
class AttentionGraphConvolutionParameters:
    """Parameters of AttentionGraphConvolution: `hops` is k, `blocks` is m."""

    hops: int
    blocks: int = 1

    def __post_init__(self) -> None:
        for name in ("hops", "blocks"):
            if getattr(self, name) < 1:
                raise FieldError(name, f"must be at least 1, not {getattr(self, name)}")


@layer_types.register("AttentionGraphConvolution")
class AttentionGraphConvolution(Layer):
    """m blocks over nodes X (N, d) with adjacency A, sparse (N, N), one after the other, of the same blobs.

    Block b: B = X in the first and H_(b-1) + X in the others; Z_0 = B and Z_j = norm_j((A Z_(j-1) + B) W_j + b_j) for
    j = 1..k; H_b = ReLU(norm([Z_1 | ... | Z_k] V)), the attention over hops as a learnt mix of them. Top: H_m (N, d).
    Blobs: for each hop W_j (d, d), b_j (d,) and the four of norm_j; V (d, k d) and the four of its norm. Source: the
    authors' `dagcn.py`, whose hops and blocks are those of the paper's section III.
    """

    parameters_type = AttentionGraphConvolutionParameters
    parameters_field = "attention_graph_convolution_param"
    bottom_counts = range(2, 3)

    def __init__(self, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> None:
        super().__init__(spec, bottoms)
        for begin in (*(hop * HOP_BLOBS + 2 for hop in range(spec.parameters.hops)), len(self.blobs) - BLOBS):
            keep_from_training(self.blobs[begin:begin + BLOBS])

    @classmethod
    def top_shapes(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> tuple[TensorShape, ...]:
        nodes, adjacency = bottoms
        if nodes.rank != 2 or adjacency.dims != nodes.dims[:1] * 2:
            raise spec.error(f"bottoms must be nodes N x d and their adjacency N x N, not {nodes} and {adjacency}")
        return (nodes,)

    @classmethod
    def blob_shapes(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> tuple[TensorShape, ...]:
        width, hops = bottoms[0].dims[1], spec.parameters.hops
        hop = (TensorShape((width, width)), TensorShape((width,)), *norm_shapes(width))
        return (*hop * hops, TensorShape((width, hops * width)), *norm_shapes(width))

    @classmethod
    def macs(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> int:
        """Of the products with W and V; how many edges there are is not known here."""
        nodes, width = bottoms[0].dims
        return 2 * spec.parameters.blocks * spec.parameters.hops * nodes * width**2

    @classmethod
    def keeps_scale(cls, spec: LayerSpec) -> bool:
        return False

    @classmethod
    def fillers(cls, spec: LayerSpec) -> tuple[Filler, ...]:
        return (*(GLOROT, Filler(), *norm_fillers()) * spec.parameters.hops, GLOROT, *norm_fillers())

    @classmethod
    def seeded_blobs(cls, spec: LayerSpec, shapes: tuple[TensorShape, ...],
                     generator: np.random.Generator) -> tuple[np.ndarray, ...]:
        return cls.filled_blobs(spec, shapes, generator)

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        nodes, adjacency = bottoms
        mix, *norm = self.blobs[-1 - BLOBS:]
        block = nodes
        for number in range(self.spec.parameters.blocks):
            begin = block + nodes if number else nodes
            hop, hops = begin, []
            for index in range(self.spec.parameters.hops):
                weight, bias, *hop_norm = self.blobs[index * HOP_BLOBS:(index + 1) * HOP_BLOBS]
                hop = functional.linear(torch.sparse.mm(adjacency, hop) + begin, weight, bias)
                hop = node_norm(hop, hop_norm, self.training)
                hops.append(hop)
            block = functional.relu(node_norm(functional.linear(torch.cat(hops, 1), mix), norm, self.training))
        return (block,)
