"""GraphData: batches of graphs of a fold."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np
from torch import Tensor

from cortado.errors import FieldError
from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec
from cortado.layers.data_source import DataSource
from cortado.layers.layer import layer_types
from cortado.workloads.dagcn.batch import batch_of
from cortado.workloads.dagcn.files import FOLDS, GRAPH_SETS
from cortado.workloads.dagcn.graph_set import fold, graph_set


class Part(Enum):
    """Which graphs of the fold."""

    TRAINING = 0
    HELD_OUT = 1


@dataclass(frozen=True, kw_only=True)
class GraphDataParameters:
    """Parameters of GraphData; `source` is a set of graphs among the data files. `batch_size` 0 is all of the part."""

    source: str
    fold: int = 1
    part: Part
    batch_size: int = 0
    shuffle: bool = False

    def __post_init__(self) -> None:
        if self.source not in GRAPH_SETS:
            raise FieldError("source", f"must be one of {', '.join(GRAPH_SETS)}, not '{self.source}'")
        if not 1 <= self.fold <= FOLDS:
            raise FieldError("fold", f"must be from 1 to {FOLDS}, not {self.fold}")
        if self.batch_size < 0:
            raise FieldError("batch_size", f"must be at least 0, not {self.batch_size}")


@layer_types.register("GraphData")
class GraphData(DataSource):
    """Tops: tags of the nodes, one-hot (N, tags); adjacency, sparse (N, N); nodes of each graph (G,); labels (G,).

    How many nodes N a batch has changes from one to the next; the shape rule gives the most there can be.
    """

    parameters_type = GraphDataParameters
    parameters_field = "graph_data_param"
    top_counts = range(4, 5)

    @classmethod
    def top_shapes(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> tuple[TensorShape, ...]:
        graphs = graph_set(spec.parameters.source)
        sizes = np.sort([len(graphs.graphs[item].tags) for item in _items(spec)])
        count = spec.parameters.batch_size or len(sizes)
        if count > len(sizes):
            raise spec.error(f"batch_size must be at most the {len(sizes)} graphs of the part, not {count}")
        nodes = int(sizes[-count:].sum())
        return (TensorShape((nodes, graphs.tag_count)), TensorShape((nodes, nodes)), TensorShape((count,)),
                TensorShape((count,)))

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        parameters, items = self.spec.parameters, _items(self.spec)
        chosen = self.next_items(parameters.batch_size or len(items), len(items), shuffle=parameters.shuffle)
        graphs = graph_set(parameters.source)
        batch = batch_of([graphs.graphs[items[number]] for number in chosen], graphs.tag_count)
        return batch.tags, batch.adjacency, batch.sizes, batch.labels


def _items(spec: LayerSpec) -> np.ndarray:
    training, held_out = fold(spec.parameters.source, spec.parameters.fold)
    return training if spec.parameters.part is Part.TRAINING else held_out
