"""The models: their networks, and a trained one as something that scores queries and triples."""

from __future__ import annotations

import math
from enum import Enum

import numpy as np
import torch
from torch import Tensor

from cortado.frontends.prototxt import read_prototxt
from cortado.frontends.solver_file import SolverFile, read_solver
from cortado.graph.spec import NetSpec
from cortado.net.net import Net
from cortado.resources import models_root
from cortado.workloads.codex.classification import Classification, classify
from cortado.workloads.codex.dataset import TripleSet
from cortado.workloads.codex.query import QueryParameters, known_answers, reciprocal_queries
from cortado.workloads.ranking import Ranking, Ties, rank

# Queries a network is asked at a time.
AT_ONCE = 256

LARGEST_VALIDATION_BATCH = 1100

# The share of a training before the learning rate falls, where the solver file has it fall at once.
FULL_RATE = (4, 5)


class ModelName(Enum):
    """The models whose networks come with the workload, by the names of their files."""

    COMPLEX = "complex"
    RESCAL = "rescal"
    TRANSE = "transe"
    CONVE = "conve"
    TUCKER = "tucker"


class Training(Enum):
    """What the answer of a query is held against: the stage of a model's network that has it."""

    ONE_VS_ALL = ""
    K_VS_ALL = "k-vs-all"
    NEGATIVE_SAMPLING = "negative-sampling"


# As their authors train them where that is affordable: LibKGE has samples for TransE and 1vsAll for ConvE.
TRAININGS = {ModelName.COMPLEX: Training.ONE_VS_ALL, ModelName.RESCAL: Training.ONE_VS_ALL,
             ModelName.TRANSE: Training.ONE_VS_ALL, ModelName.CONVE: Training.K_VS_ALL,
             ModelName.TUCKER: Training.K_VS_ALL}


# How often training sees every query: what the solver files say for CoDEx-S.
EPOCHS = {ModelName.COMPLEX: 24, ModelName.RESCAL: 16, ModelName.TRANSE: 16, ModelName.CONVE: 80, ModelName.TUCKER: 50}


def solver_file(name: ModelName, training: Training, triples: TripleSet, epochs: int) -> SolverFile:
    """How the model is trained on a data set, to whose sizes its networks are made."""
    file = read_solver(models_root() / "codex" / f"{name.value}_solver.prototxt",
                       stages=(training.value,) if training.value else ())
    validation = 2 * len(triples.splits["valid"])
    batch = _largest_divisor(validation, LARGEST_VALIDATION_BATCH)
    changes = {**_sizes(triples), "valid": {"dataset": triples.name, "batch_size": batch},
               "rank": {"dataset": triples.name},
               **{source: {"dataset": triples.name} for source in ("queries", "answers", "candidates")}}
    named = {layer.name for net in (file.training, *file.tests) for layer in net.layers}
    for layer in changes.keys() & named:
        file = file.with_parameters(layer, **changes[layer])
    queries = reciprocal_queries(triples.splits["train"], len(triples.relations))[:, :2]
    if training is Training.K_VS_ALL:
        queries = np.unique(queries, axis=0)
    iterations = math.ceil(epochs * len(queries) / _batch_size(file))
    file = file.with_fields(test_iter=(validation // batch,), max_iter=iterations)
    if not file.spec.stepvalue:
        return file
    return file.with_fields(stepvalue=(iterations * FULL_RATE[0] // FULL_RATE[1],))


def scoring_network(name: ModelName, triples: TripleSet) -> NetSpec:
    """The network that takes queries and ends in a score for each entity."""
    spec = read_prototxt(models_root() / "codex" / f"{name.value}.prototxt", phase="TEST")
    changes = _sizes(triples)
    for layer in changes.keys() & {layer.name for layer in spec.layers}:
        spec = spec.with_parameters(layer, **changes[layer])
    return spec


class Scorer:
    """A trained model. `trained` is the network that was trained."""

    def __init__(self, name: ModelName, triples: TripleSet, trained: Net) -> None:
        self.triples = triples
        self.net = Net(scoring_network(name, triples), seed=0, fillers=True)
        self.net.share_blobs_of(trained)

    def queries(self, queries: np.ndarray) -> Tensor:
        """The score of every entity, (n, entities), as answer of (n, 2) queries: entity and relation or its inverse."""
        entities, relations = torch.from_numpy(queries).unbind(1)
        with torch.no_grad():
            return self.net({"entity": entities, "relation": relations})["score"]

    def triple_scores(self, triples: np.ndarray) -> np.ndarray:
        """The score of each of (n, 3) triples, asked for its object."""
        found = [self.queries(some[:, :2]).gather(1, torch.from_numpy(some[:, 2:]))[:, 0].numpy()
                 for some in (triples[begin:begin + AT_ONCE] for begin in range(0, len(triples), AT_ONCE))]
        return np.concatenate(found)


def link_prediction(scorer: Scorer, split: str) -> Ranking:
    """Both directions of every triple of a split, filtered by all splits, ties by the mean."""
    triples = scorer.triples
    asked = reciprocal_queries(triples.splits[split], len(triples.relations))
    return Ranking.of([rank(asked[:, :2], asked[:, 2], scorer.queries, known_answers(triples), Ties.MEAN,
                            at_once=AT_ONCE)])


def triple_classification(scorer: Scorer) -> Classification:
    """True triples against those known to be false."""
    return classify(scorer.triples, scorer.triple_scores)


def _sizes(triples: TripleSet) -> dict[str, dict[str, int]]:
    """What depends on the data set in the layers of every model, by their names."""
    rows = {"input_dim": len(triples.entities)}
    return {"entity": rows, "answer": rows, "candidate": rows, "relation": {"input_dim": 2 * len(triples.relations)},
            "score": {"num_output": len(triples.entities)}}


def _batch_size(file: SolverFile) -> int:
    """Queries an iteration."""
    return next(layer.parameters.batch_size for layer in file.training.layers
                if isinstance(layer.parameters, QueryParameters))


def _largest_divisor(number: int, most: int) -> int:
    """Batches of this size have every item once."""
    return max(size for size in range(1, most + 1) if number % size == 0)
