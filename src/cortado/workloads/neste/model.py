"""The models: NestE in three algebras, each with and without translations, and BiVE; their networks fitted to data."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from cortado.frontends.prototxt import read_prototxt
from cortado.frontends.solver_file import SolverFile, read_solver
from cortado.graph.spec import NetSpec
from cortado.resources import models_root
from cortado.workloads.neste.algebra import COMPONENTS, Algebra
from cortado.workloads.neste.dataset import NestedFacts

# Batches an epoch, of triples, nested facts and augmented triples alike.
BATCHES = 100

# Of the penalties, beside the losses of their kind of fact.
PENALTY = 0.1

_LETTERS = {Algebra.QUATERNION: "Q", Algebra.HYPERBOLIC: "H", Algebra.SPLIT: "S"}


class Family(Enum):
    """How a nested fact is scored: by a matrix of relations, or by compressed triples."""

    NESTE = "NestE"
    BIVE = "BiVE"


@dataclass(frozen=True, kw_only=True)
class Variant:
    """One model of the papers; `dimension` counts hypercomplex numbers of an entity's vector."""

    family: Family
    algebra: Algebra
    translation: bool
    dimension: int

    def __str__(self) -> str:
        return f"{self.family.value}-{_LETTERS[self.algebra]}{'B' if self.translation else ''}"

    @property
    def network(self) -> str:
        """The name of its file."""
        return f"{self.family.name.lower()}{'_translation' if self.translation else ''}"

    def solver_file(self, data: NestedFacts, *, nested_weight: float, augmented_weight: float) -> SolverFile:
        """How it is trained on a data set: the weights are those of the losses of nested facts and augmented triples,
        beside that of triples, for equally many facts.
        """
        file = read_solver(models_root() / "neste" / f"{self.network}_solver.prototxt")
        sizes = {"triples": len(data.triples["train"]) // BATCHES, "nested_facts": len(data.facts["train"]) // BATCHES,
                 "augmented_triples": len(data.augmented) // BATCHES}
        for layer, batch_size in sizes.items():
            file = file.with_parameters(layer, dataset=data.name, batch_size=batch_size)
        for layer, changes in self._changes(file.training, data).items():
            file = file.with_parameters(layer, **changes)
        for prefix, weight, kind in (("", 1.0, "triples"), ("nested_", nested_weight, "nested_facts"),
                                     ("augmented_", augmented_weight, "augmented_triples")):
            share = weight * sizes[kind] / sizes["triples"]
            file = file.with_loss_weight(f"{prefix}loss", share)
            for penalty in ("end_square", "relation_square"):
                file = file.with_loss_weight(f"{prefix}{penalty}", PENALTY * share)
        return file

    def asking_network(self, data: NestedFacts) -> NetSpec:
        """The network that makes queries of triples and nested relations."""
        spec = read_prototxt(models_root() / "neste" / f"{self.network}.prototxt", phase="TEST")
        for layer, changes in self._changes(spec, data).items():
            spec = spec.with_parameters(layer, **changes)
        return spec

    def _changes(self, spec: NetSpec, data: NestedFacts) -> dict[str, dict[str, object]]:
        """What depends on the data set, the algebra and the dimension, by layer."""
        width = COMPONENTS * self.dimension
        parts = 1 if self.family is Family.BIVE else 4 if self.translation else 3
        tables = {"entities": (len(data.entities), width), "relations": (len(data.relations), width),
                  "translations": (len(data.relations), width),
                  "nested_relations": (len(data.nested_relations), width * parts**2),
                  "nested_translations": (len(data.nested_relations), width * parts)}
        changes: dict[str, dict[str, object]] = {}
        for layer in spec.layers:
            if layer.type == "HypercomplexEmbed":
                rows, numbers = tables[layer.blob_settings[0].name]
                changes[layer.name] = {"input_dim": rows, "num_output": numbers}
            elif hasattr(layer.parameters, "algebra"):
                changes[layer.name] = {"algebra": self.algebra}
        return changes
