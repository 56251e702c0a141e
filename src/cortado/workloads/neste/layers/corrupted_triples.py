"""CorruptedTriples: triples to train on, each with corrupted ones."""

from __future__ import annotations

import torch
from torch import Tensor

from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec
from cortado.layers.data_source import DataSource
from cortado.layers.layer import layer_types
from cortado.workloads.neste.bernoulli_sampler import BernoulliSampler
from cortado.workloads.neste.dataset import load_nested_facts
from cortado.workloads.neste.fact import FactParameters, Part


@layer_types.register("CorruptedTriples")
class CorruptedTriples(DataSource):
    """Triples drawn with replacement, each corrupted `corrupted` times.

    Tops, int64 unless said: head, relation and tail (N,), the replacing entities (N, K), and whether each replaces the
    head (N, K), float, 1 or 0. Training triples are corrupted as `BernoulliSampler` says; augmented ones at either end
    with the same probability, by any entity.
    """

    parameters_type = FactParameters
    parameters_field = "fact_param"
    top_counts = range(5, 6)

    def __init__(self, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> None:
        super().__init__(spec, bottoms)
        data = load_nested_facts(spec.parameters.dataset)
        self._entities = len(data.entities)
        given = data.triples["train"] if spec.parameters.part is Part.TRAINING else data.augmented
        self._triples = torch.from_numpy(given)
        self._sampler = BernoulliSampler(given, self._entities) if spec.parameters.part is Part.TRAINING else None

    @classmethod
    def top_shapes(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> tuple[TensorShape, ...]:
        batch = spec.parameters.batch_size
        return (TensorShape((batch,)),) * 3 + (TensorShape((batch, spec.parameters.corrupted)),) * 2

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        batch, corrupted = self.spec.parameters.batch_size, self.spec.parameters.corrupted
        triples = self._triples[torch.randint(len(self._triples), (batch,))]
        if self._sampler is not None:
            replacements, replaces_head = self._sampler.draw(triples, corrupted)
        else:
            replacements = torch.randint(self._entities, (batch, corrupted))
            replaces_head = torch.rand(batch, corrupted) < 0.5
        return (*triples.unbind(1), replacements, replaces_head.float())
