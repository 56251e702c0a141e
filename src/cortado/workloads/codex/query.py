"""What models of CoDEx are asked: an entity and a relation, the answers are entities.

Each triple gives two queries: (subject, relation) with its object, and (object, inverse of the relation) with its
subject, where the inverse of relation r of n is r + n. Source: Lacroix et al. 2018, "Canonical Tensor Decomposition for
Knowledge Base Completion", section 3 (reciprocal relations).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np

from cortado.errors import FieldError
from cortado.workloads.codex.dataset import SIZES, TripleSet, load_codex
from cortado.workloads.ranking import KnownAnswers


class Split(Enum):
    """Which triples of a data set."""

    TRAIN = 0
    VALID = 1
    TEST = 2


def reciprocal_queries(triples: np.ndarray, relations: int) -> np.ndarray:
    """The two queries of each triple with their answers, (2 n, 3): entity, relation or its inverse, answer."""
    inverse = triples[:, ::-1] + np.array([0, relations, 0])
    return np.concatenate([triples, inverse])


@dataclass(frozen=True, kw_only=True)
class QueryParameters:
    """Parameters of the types that read queries: the data set's name, its split, how many at a time."""

    dataset: str
    split: Split = Split.TRAIN
    batch_size: int
    shuffle: bool = True

    def __post_init__(self) -> None:
        if self.dataset not in SIZES:
            raise FieldError("dataset", f"must be one of {', '.join(SIZES)}, not '{self.dataset}'")
        if self.batch_size < 1:
            raise FieldError("batch_size", f"must be at least 1, not {self.batch_size}")


def split_queries(parameters: QueryParameters) -> np.ndarray:
    """Both queries of every triple of the split, as `reciprocal_queries`."""
    triples = load_codex(parameters.dataset)
    return reciprocal_queries(triples.splits[parameters.split.name.lower()], len(triples.relations))


def known_answers(triples: TripleSet) -> KnownAnswers:
    """What the triples of all splits say of queries (entity, relation or its inverse)."""
    queries = reciprocal_queries(triples.triples, len(triples.relations))
    return KnownAnswers(queries[:, :2], queries[:, 2])
