"""What NestE trains on: layer types that draw facts, each with the same fact corrupted many times.

Source: Bordes et al. 2013, section 3; Wang et al. 2014, "Knowledge Graph Embedding by Translating on Hyperplanes",
section 4.2 (Bernoulli); the authors' code for which facts are corrupted how.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np
import torch
from torch import Tensor

from cortado.errors import FieldError
from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec
from cortado.layers.data_source import DataSource
from cortado.layers.layer import layer_types
from cortado.workloads.neste.dataset import NAMES, load_nested_facts


class Part(Enum):
    """Training triples, or those that rules conclude."""

    TRAINING = 0
    AUGMENTED = 1


@dataclass(frozen=True, kw_only=True)
class FactParameters:
    """Parameters of the types that draw facts: the data set, how many facts, how many corrupted ones for each."""

    dataset: str
    batch_size: int
    corrupted: int = 25
    part: Part = Part.TRAINING

    def __post_init__(self) -> None:
        if self.dataset not in NAMES:
            raise FieldError("dataset", f"must be one of {', '.join(NAMES)}, not '{self.dataset}'")
        for name in ("batch_size", "corrupted"):
            if getattr(self, name) < 1:
                raise FieldError(name, f"must be at least 1, not {getattr(self, name)}")


class BernoulliSampler:
    """Replacements for one end of a triple that make no triple of `triples`, (n, 3).

    The head is replaced with probability tph / (tph + hpt), tails a head and heads a tail of the relation on average,
    so that a corrupted triple is seldom a true one that is missing.
    """

    def __init__(self, triples: np.ndarray, entities: int) -> None:
        self._entities, self._relations = entities, int(triples[:, 1].max()) + 1
        self._known = torch.from_numpy(np.unique(self._keys(*triples.T)))
        counts = np.bincount(triples[:, 1], minlength=self._relations)
        heads = np.bincount(np.unique(triples[:, [0, 1]], axis=0)[:, 1], minlength=self._relations)
        tails = np.bincount(np.unique(triples[:, [2, 1]], axis=0)[:, 1], minlength=self._relations)
        tails_a_head, heads_a_tail = counts / np.maximum(heads, 1), counts / np.maximum(tails, 1)
        self.replaces_head = torch.from_numpy(tails_a_head / np.maximum(tails_a_head + heads_a_tail, 1)).float()

    def draw(self, triples: Tensor, corrupted: int) -> tuple[Tensor, Tensor]:
        """For each of (N, 3) triples `corrupted` entities, and whether each replaces the head: int64 and bool."""
        heads, relations, tails = (column[:, None] for column in triples.unbind(1))
        replaces_head = torch.rand(len(triples), corrupted) < self.replaces_head[relations]
        drawn = torch.randint(self._entities, (len(triples), corrupted))
        while True:
            keys = self._keys(torch.where(replaces_head, drawn, heads), relations,
                              torch.where(replaces_head, tails, drawn))
            places = torch.searchsorted(self._known, keys).clamp(max=len(self._known) - 1)
            true = self._known[places] == keys
            if not true.any():
                return drawn, replaces_head
            drawn[true] = torch.randint(self._entities, (int(true.sum()),))

    def _keys(self, heads, relations, tails):
        return (heads * self._relations + relations) * self._entities + tails


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
