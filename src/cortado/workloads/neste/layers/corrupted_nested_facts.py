"""CorruptedNestedFacts: nested facts to train on, each with corrupted ones."""

from __future__ import annotations

import torch
from torch import Tensor

from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec
from cortado.layers.data_source import DataSource
from cortado.layers.layer import layer_types
from cortado.workloads.neste.dataset import load_nested_facts
from cortado.workloads.neste.fact import FactParameters, Part


@layer_types.register("CorruptedNestedFacts")
class CorruptedNestedFacts(DataSource):
    """Nested facts drawn with replacement, each corrupted `corrupted` times by any training triple at either end.

    Tops, int64 unless said: head, relation and tail of the head triple, the same of the tail triple, the nested
    relation, (N,) each; head, relation and tail of the replacing triples, (N, K) each; whether each replaces the head
    triple, (N, K), float, 1 or 0.
    """

    parameters_type = FactParameters
    parameters_field = "fact_param"
    top_counts = range(11, 12)

    def __init__(self, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> None:
        super().__init__(spec, bottoms)
        data = load_nested_facts(spec.parameters.dataset)
        self._triples = torch.from_numpy(data.triples["train"])
        self._facts = torch.from_numpy(data.pairs(data.facts["train"]))

    @classmethod
    def top_shapes(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> tuple[TensorShape, ...]:
        if spec.parameters.part is not Part.TRAINING:
            raise spec.error("part must be TRAINING: no nested facts are concluded by rules")
        batch = spec.parameters.batch_size
        return (TensorShape((batch,)),) * 7 + (TensorShape((batch, spec.parameters.corrupted)),) * 4

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        batch, corrupted = self.spec.parameters.batch_size, self.spec.parameters.corrupted
        facts = self._facts[torch.randint(len(self._facts), (batch,))]
        replacements = self._triples[torch.randint(len(self._triples), (batch, corrupted))]
        replaces_head = (torch.rand(batch, corrupted) < 0.5).float()
        return (*facts.unbind(1), *replacements.unbind(2), replaces_head)
