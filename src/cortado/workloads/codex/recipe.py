"""The recipe: train one of five models, predict links, classify triples."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from cortado.errors import FieldError
from cortado.workloads.codex.dataset import NEGATIVES, SPLITS, TripleSet, load_codex, read_triple_set
from cortado.workloads.codex.frequency import frequency_baseline
from cortado.workloads.codex.model import (
    EPOCHS,
    TRAININGS,
    ModelName,
    Scorer,
    Training,
    link_prediction,
    scoring_network,
    solver_file,
    triple_classification,
)
from cortado.workloads.codex.pattern import Compositions, composition_rules, symmetries
from cortado.workloads.codex.query import reciprocal_queries
from cortado.workloads.figure import Bar, Published
from cortado.workloads.picture import Picture
from cortado.workloads.run import Run
from cortado.workloads.workload import Bench, Outcome, Workload, workloads

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_PAPER = "Safavi & Koutra 2020, README of the authors' repository"

# MRR, H@1, H@3, H@10 of test triples, accuracy and F1 of classification.
_MODELS = {
    ("codex-s", "rescal"): (0.404, 0.293, 0.4494, 0.623, 0.843, 0.852),
    ("codex-s", "transe"): (0.354, 0.219, 0.4218, 0.634, 0.829, 0.837),
    ("codex-s", "complex"): (0.465, 0.372, 0.5038, 0.646, 0.836, 0.846),
    ("codex-s", "conve"): (0.444, 0.343, 0.4926, 0.635, 0.841, 0.846),
    ("codex-s", "tucker"): (0.444, 0.339, 0.4975, 0.638, 0.840, 0.846),
    ("codex-m", "rescal"): (0.317, 0.244, 0.3477, 0.456, 0.818, 0.815),
    ("codex-m", "transe"): (0.303, 0.223, 0.3363, 0.454, 0.797, 0.803),
    ("codex-m", "complex"): (0.337, 0.262, 0.3701, 0.476, 0.824, 0.818),
    ("codex-m", "conve"): (0.318, 0.239, 0.3551, 0.464, 0.826, 0.829),
    ("codex-m", "tucker"): (0.328, 0.259, 0.3599, 0.458, 0.823, 0.816),
}


@dataclass(frozen=True, kw_only=True)
class Settings:
    """`training` and `epochs` are the model's own where they are none; an epoch has every query once.

    `device_queries` test queries are ranked on a device too where one is given. `compare_with` is a folder with
    train.txt, valid.txt and test.txt of another data set, such as FB15k-237, that is analysed in the same way.
    """

    model: ModelName = ModelName.COMPLEX
    training: Training | None = None
    epochs: int | None = None
    device_queries: int = 512
    compare_with: Path | None = None

    def __post_init__(self) -> None:
        if self.epochs is not None and self.epochs < 1:
            raise FieldError("epochs", f"must be at least 1, not {self.epochs}")
        if self.device_queries < 1:
            raise FieldError("device_queries", f"must be at least 1, not {self.device_queries}")


def _published() -> tuple[Published, ...]:
    return tuple(
        Published(dataset=dataset, split=f"{model} {split}", metric=metric, value=value, source=_PAPER)
        for (dataset, model), values in _MODELS.items()
        for (split, metric), value in zip((("test", "mrr"), ("test", "hits@1"), ("test", "hits@3"), ("test", "hits@10"),
                                           ("classification", "accuracy"), ("classification", "f1")), values,
                                          strict=True))


def _bench(model: str, minutes: float, *bars: Bar) -> Bench:
    """Within .03 of the published MRR, and what else is wanted."""
    near = Bar(split=f"{model} test", metric="mrr", least=_MODELS["codex-s", model][0] - 0.03)
    return Bench(dataset="codex-s", settings={"model": ModelName(model)}, bars=bars or (near,), minutes=minutes)


@workloads.register("codex")
class Codex(Workload):
    """Knowledge graph completion on CoDEx."""

    title: ClassVar[str] = "CoDEx: link prediction and triple classification"
    paper: ClassVar[str] = "Safavi, Koutra 2020, arXiv 2009.07810"
    datasets: ClassVar[Mapping[str, str]] = {"codex-s": "2,034 entities, 36,543 triples of Wikidata",
                                             "codex-m": "17,050 entities, 206,205 triples of Wikidata"}
    settings_type: ClassVar[type] = Settings
    published: ClassVar[tuple[Published, ...]] = _published()
    benches: ClassVar[tuple[Bench, ...]] = (
        _bench("complex", 5, Bar(split="complex test", metric="mrr", least=0.445),
               Bar(split="complex test", metric="hits@10", least=0.63),
               Bar(split="complex classification", metric="accuracy", least=0.825)),
        _bench("transe", 4), _bench("rescal", 8), _bench("tucker", 4), _bench("conve", 10))
    takes_device: ClassVar[bool] = True

    def run(self, run: Run) -> Outcome:
        settings = run.settings
        for split in SPLITS:
            run.file(f"codex/triples/{run.dataset}/{split}.txt")
        for split in NEGATIVES:
            run.file(f"codex/triples/{run.dataset}/{split}_negatives.txt")
        run.file(f"codex/analysis/paths/{run.dataset}/paths.tsv")
        triples = load_codex(run.dataset)
        if run.device is not None:
            # Imported here: only a device needs the executor. That there is nothing for it is said before training.
            from cortado.workloads.codex.device_evaluation import fpga_pipeline

            fpga_pipeline(scoring_network(settings.model, triples), run.device)
        training = settings.training or TRAININGS[settings.model]
        file = solver_file(settings.model, training, triples, settings.epochs or EPOCHS[settings.model])
        run.expect(file.spec.max_iter)
        name = settings.model.value
        data = run.part("data", lambda: _analysis(triples), iterations=0)
        if settings.compare_with is not None:
            data |= run.part("comparison", lambda: _comparison(run, settings.compare_with), iterations=0)
        found = run.part(name, lambda: self._trained(run, file, triples), iterations=file.spec.max_iter)
        curve = found.pop("curve")
        return Outcome(metrics={**data, **{f"{name} {split}": metrics for split, metrics in found.items()}},
                       pictures=(Picture(name="validation", draw=lambda figure: _draw(figure, name, curve)),)
                       if curve else ())

    def _trained(self, run: Run, file: Any, triples: TripleSet) -> dict[str, Any]:
        fit = run.fit(run.settings.model.value, file)
        scorer = Scorer(run.settings.model, triples, fit.solver.net)
        found = {split: link_prediction(scorer, split).metrics() for split in ("valid", "test")}
        run.stop_if_asked()
        found["classification"] = asdict(triple_classification(scorer))
        if run.device is not None:
            found["device"] = _device_metrics(run, scorer, run.device)
        found["curve"] = [(score.iteration, *score.outputs["mrr"]) for score in fit.scores]
        return found


def _analysis(triples: TripleSet) -> dict[str, dict[str, float]]:
    """What the data set itself says: the baseline without learning, and its relation patterns."""
    rules, compositions = composition_rules(triples.name), Compositions(triples)
    differing = sum((found.support, found.body_size) != (rule.support, rule.body_size)
                    for rule, found in ((rule, compositions.of(rule)) for rule in rules))
    return {"frequency test": frequency_baseline(triples).metrics(),
            "patterns": {"symmetric": sum(entry.of_all for entry in symmetries(triples)),
                         "compositional": compositions.share(rules), "rules": len(rules),
                         "rules counted otherwise": differing}}


def _comparison(run: Run, folder: Path) -> dict[str, dict[str, float]]:
    """The same of another data set; where little needs to be learnt, the baseline is near the models."""
    for split in SPLITS:
        run.own_file(folder / f"{split}.txt")
    other = read_triple_set(folder)
    return {f"{other.name} frequency test": frequency_baseline(other).metrics(),
            f"{other.name} patterns": {"symmetric": sum(entry.of_all for entry in symmetries(other))}}


def _device_metrics(run: Run, scorer: Scorer, device: str) -> dict[str, float]:
    from cortado.workloads.codex.device_evaluation import on_device

    triples = scorer.triples
    asked, training = (reciprocal_queries(triples.splits[split], len(triples.relations)) for split in ("test", "train"))
    rng = np.random.default_rng(run.seed)
    some = rng.permutation(len(asked))[:run.settings.device_queries]
    seen = rng.permutation(len(training))[:run.settings.device_queries]
    reference, found, same = on_device(scorer, device, asked[some], training[seen, :2], run.stop_if_asked)
    return {"queries": found.queries, "mrr": found.mrr, "mrr in float": reference.mrr,
            "difference": found.mrr - reference.mrr, "same best entity": same}


def _draw(figure: Figure, name: str, curve: list[tuple[int, float]]) -> None:
    axes = figure.add_subplot()
    axes.plot(*zip(*curve, strict=True), marker="o", label=f"{name} here")
    axes.set_xlabel("iteration")
    axes.set_ylabel("MRR of the validation triples")
    axes.legend()
