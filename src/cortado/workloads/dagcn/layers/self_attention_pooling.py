"""SelfAttentionPooling: a graph's nodes as a matrix, one row for each attention head."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from cortado.errors import FieldError
from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec
from cortado.layers.filler import Filler
from cortado.layers.layer import Layer, layer_types
from cortado.workloads.dagcn.batch import padded
from cortado.workloads.dagcn.layers.attention_graph_convolution import GLOROT
from cortado.workloads.dagcn.node_norm import BLOBS, keep_from_training, node_norm, norm_fillers, norm_shapes


class Over(Enum):
    """What the attention weights are normalised over: the nodes of a graph, as the method says, or the heads of a
    node, as the published code does.
    """

    NODES = 0
    HEADS = 1


@dataclass(frozen=True, kw_only=True)
class SelfAttentionPoolingParameters:
    """Parameters of SelfAttentionPooling; weights are dropped with `dropout_ratio` in training."""

    heads: int
    over: Over = Over.NODES
    dropout_ratio: float = 0.0

    def __post_init__(self) -> None:
        if self.heads < 1:
            raise FieldError("heads", f"must be at least 1, not {self.heads}")
        if not 0 <= self.dropout_ratio < 1:
            raise FieldError("dropout_ratio", f"must be at least 0 and below 1, not {self.dropout_ratio}")


@layer_types.register("SelfAttentionPooling")
class SelfAttentionPooling(Layer):
    """S = norm(norm(tanh(H W_1)) W_2), weights softmax(S) over `over`, M = dropout(weights)^T H for each graph.

    Bottoms: nodes H (N, d), nodes of each graph (G,). Top: M (G, heads, d). Blobs: W_1 (d, d) and its bias, the four of
    the inner norm, W_2 (heads, d) and its bias, the four of the outer norm. Source: the paper's section III, after
    Lin et al. 2017, "A Structured Self-Attentive Sentence Embedding"; the norms are in the authors' `dagcn.py`.
    """

    parameters_type = SelfAttentionPoolingParameters
    parameters_field = "self_attention_pooling_param"
    bottom_counts = range(2, 3)

    def __init__(self, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> None:
        super().__init__(spec, bottoms)
        for begin in (2, 4 + BLOBS):
            keep_from_training(self.blobs[begin:begin + BLOBS])

    @classmethod
    def top_shapes(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> tuple[TensorShape, ...]:
        nodes, sizes = bottoms
        if nodes.rank != 2 or sizes.rank != 1:
            raise spec.error(f"bottoms must be nodes N x d and the nodes of each graph, not {nodes} and {sizes}")
        return (TensorShape((sizes.dims[0], spec.parameters.heads, nodes.dims[1])),)

    @classmethod
    def blob_shapes(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> tuple[TensorShape, ...]:
        width, heads = bottoms[0].dims[1], spec.parameters.heads
        return (TensorShape((width, width)), TensorShape((width,)), *norm_shapes(width),
                TensorShape((heads, width)), TensorShape((heads,)), *norm_shapes(heads))

    @classmethod
    def macs(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> int:
        nodes, width = bottoms[0].dims
        return nodes * width * (width + 2 * spec.parameters.heads)

    @classmethod
    def keeps_scale(cls, spec: LayerSpec) -> bool:
        return False

    @classmethod
    def fillers(cls, spec: LayerSpec) -> tuple[Filler, ...]:
        return (GLOROT, Filler(), *norm_fillers()) * 2

    @classmethod
    def seeded_blobs(cls, spec: LayerSpec, shapes: tuple[TensorShape, ...],
                     generator: np.random.Generator) -> tuple[np.ndarray, ...]:
        return cls.filled_blobs(spec, shapes, generator)

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        nodes, sizes = bottoms
        parameters = self.spec.parameters
        # A row of nodes for each graph, as long as the longest, so that heads are one product of matrices.
        scores = padded(self._scores(nodes), sizes, fill=-torch.inf if parameters.over is Over.NODES else 0)
        weights = scores.softmax(1 if parameters.over is Over.NODES else 2)
        weights = functional.dropout(weights, parameters.dropout_ratio, self.training)
        return (weights.transpose(1, 2) @ padded(nodes, sizes),)

    def _scores(self, nodes: Tensor) -> Tensor:
        """S, (N, heads)."""
        inner, inner_bias, *inner_norm = self.blobs[:2 + BLOBS]
        outer, outer_bias, *outer_norm = self.blobs[2 + BLOBS:]
        hidden = node_norm(torch.tanh(functional.linear(nodes, inner, inner_bias)), inner_norm, self.training)
        return node_norm(functional.linear(hidden, outer, outer_bias), outer_norm, self.training)
