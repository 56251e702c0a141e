"""The recipe: train a model on triples and nested facts, predict triples and links."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from cortado.errors import FieldError
from cortado.frontends.solver_file import SolverFile
from cortado.net.net import Net
from cortado.workloads.figure import Bar, Published
from cortado.workloads.neste.algebra import Algebra
from cortado.workloads.neste.dataset import FILES, NestedFacts, load_nested_facts
from cortado.workloads.neste.evaluation import (
    NestedModel,
    conditional_link_prediction,
    link_prediction,
    triple_ranks,
)
from cortado.workloads.neste.model import BATCHES, Family, Variant
from cortado.workloads.neste.pattern import logical_metrics, nested_symmetry, pattern_metrics
from cortado.workloads.neste.published import PUBLISHED
from cortado.workloads.picture import Picture
from cortado.workloads.ranking import Ranking
from cortado.workloads.run import Run
from cortado.workloads.workload import Bench, Outcome, Workload, workloads

if TYPE_CHECKING:
    from matplotlib.figure import Figure

@dataclass(frozen=True, kw_only=True)
class Settings:
    """`nested_weight` and `augmented_weight` are those of the losses beside that of triples.

    An epoch is 100 batches, each of a hundredth of all facts of its kind. The paper has dimension 200, 500 epochs and a
    nested weight of 0.5, of which its ablation has 1 best.
    """

    family: Family = Family.NESTE
    algebra: Algebra = Algebra.QUATERNION
    translation: bool = False
    dimension: int = 50
    epochs: int = 80
    nested_weight: float = 1.0
    augmented_weight: float = 0.2

    def __post_init__(self) -> None:
        for name in ("dimension", "epochs"):
            if getattr(self, name) < 1:
                raise FieldError(name, f"must be at least 1, not {getattr(self, name)}")
        for name in ("nested_weight", "augmented_weight"):
            if getattr(self, name) < 0:
                raise FieldError(name, f"must be at least 0, not {getattr(self, name)}")
        if self.translation and self.family is Family.BIVE:
            raise FieldError("translation", "must be false for family bive, which is here without translations")

    @property
    def variant(self) -> Variant:
        """The model."""
        return Variant(family=self.family, algebra=self.algebra, translation=self.translation,
                       dimension=self.dimension)


@workloads.register("neste")
class NestE(Workload):
    """Reasoning over facts about facts."""

    title: ClassVar[str] = "NestE: embeddings of facts and nested facts"
    paper: ClassVar[str] = "Xiong, Nayyeri, Luo, Wang, Pan, Staab 2024, arXiv 2312.09219"
    datasets: ClassVar[Mapping[str, str]] = {
        "DBHE": "DBpedia: 68,296 triples, 6,717 nested facts of 8 relations",
        "FBHE": "Freebase: 310,117 triples, 34,941 nested facts of 10 relations",
        "FBH": "Freebase: 310,117 triples, 27,062 nested facts of 6 relations"}
    settings_type: ClassVar[type] = Settings
    published: ClassVar[tuple[Published, ...]] = PUBLISHED
    benches: ClassVar[tuple[Bench, ...]] = (
        Bench(dataset="DBHE", minutes=18, bars=(
            Bar(split="NestE-Q triple prediction", metric="mrr", least=0.75),
            Bar(split="NestE-Q triple prediction", metric="hits@10", least=0.94),
            Bar(split="NestE-Q conditional", metric="mrr", least=0.88))),
        Bench(dataset="DBHE", settings={"family": Family.BIVE}, minutes=18, bars=(
            Bar(split="BiVE-Q triple prediction", metric="mrr", most=0.75),
            Bar(split="BiVE-Q conditional", metric="mrr", most=0.88))))

    def run(self, run: Run) -> Outcome:
        settings = run.settings
        for file in FILES:
            run.file(f"neste/{run.dataset}/{file}2id.txt")
        data = load_nested_facts(run.dataset)
        iterations = settings.epochs * BATCHES
        file = settings.variant.solver_file(
            data, nested_weight=settings.nested_weight,
            augmented_weight=settings.augmented_weight).with_fields(
                max_iter=iterations, stepvalue=(iterations * 4 // 5,))
        run.expect(iterations)
        name = str(settings.variant)
        found = run.part(name, lambda: self._trained(run, file, data), iterations=iterations)
        metrics = {f"{name} {split}": values for split, values in found.items()}
        return Outcome(metrics=metrics, pictures=(
            Picture(name="nested_relations", draw=lambda figure: _draw(figure, name, found["by nested relation"])),))

    def _trained(self, run: Run, file: SolverFile, data: NestedFacts) -> dict[str, dict[str, float]]:
        settings = run.settings
        fit = run.fit(str(settings.variant), file)
        net = Net(settings.variant.asking_network(data), seed=0, fillers=True)
        net.share_blobs_of(fit.solver.net)
        model = NestedModel(net, data)
        found, ranks = {}, {}
        for split, words in (("valid", "valid "), ("test", "")):
            run.stop_if_asked()
            ranks[split] = triple_ranks(model, data.facts[split])
            found[f"{words}triple prediction"] = Ranking.of(ranks[split]).metrics()
            found[f"{words}conditional"] = conditional_link_prediction(model, data.facts[split],
                                                                       settings.nested_weight).metrics()
        run.stop_if_asked()
        found["link prediction"] = link_prediction(model, data.triples["test"]).metrics()
        facts = data.facts["test"]
        found["by nested relation"] = {
            data.nested_relations[relation]: Ranking.of(ranks["test"][:, facts[:, 1] == relation]).mrr
            for relation in np.unique(facts[:, 1]).tolist()}
        found["by logical pattern"] = logical_metrics(data, facts, ranks["test"])
        found["patterns learnt"] = pattern_metrics(model, data, settings.algebra)
        found["nested symmetry learnt"] = nested_symmetry(model, data, settings.algebra)
        return found


def _draw(figure: Figure, name: str, by_relation: Mapping[str, float]) -> None:
    axes = figure.add_subplot()
    places = range(len(by_relation))
    axes.barh(places, list(by_relation.values()))
    axes.set_yticks(places, list(by_relation))
    axes.set_xlabel(f"MRR of triple prediction, {name}")
