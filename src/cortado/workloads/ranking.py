"""Filtered ranking of a query's answer among all candidates: what link prediction is judged by.

Sources: Bordes et al. 2013, "Translating Embeddings for Modeling Multi-relational Data", section 4.2 (filtered ranks);
Sun et al. 2020, "A Re-evaluation of Knowledge Graph Completion Methods" (why the rule for ties must be named).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np
import torch
from torch import Tensor

from cortado.errors import WeightsError

CUTOFFS = (1, 3, 10)


class Ties(Enum):
    """The rank of an answer with `better` candidates above it and `ties` others of its score."""

    # better + ties // 2 + 1, as LibKGE and CoDEx have it.
    MEAN = "mean"
    # better + 1, as OpenKE and NestE have it. Scores that are all equal would give the first rank.
    OPTIMISTIC = "optimistic"


class KnownAnswers:
    """For every query, the candidates known to be true answers: those that do not count against another one.

    `queries` is (n, k), the k whole numbers of each query, `answers` (n,); a pair may be given repeatedly.
    """

    def __init__(self, queries: np.ndarray, answers: np.ndarray) -> None:
        self._sizes = tuple(int(column.max()) + 1 for column in queries.T)
        pairs = np.unique(np.stack([self._keys(queries), answers], 1), axis=0)
        self._keys_of_answers, self._answers = pairs[:, 0], pairs[:, 1]

    def of(self, queries: np.ndarray) -> tuple[Tensor, Tensor]:
        """The known answers of each of `queries`, (m, k), as pairs: the row of the query and the answer, int64."""
        # A number beyond those of the known queries is in no known query.
        inside = (queries < np.array(self._sizes)).all(1)
        keys = np.where(inside, self._keys(queries), -1)
        begins = np.searchsorted(self._keys_of_answers, keys, side="left")
        counts = np.searchsorted(self._keys_of_answers, keys, side="right") - begins
        rows = np.repeat(np.arange(len(queries)), counts)
        within = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
        return torch.from_numpy(rows), torch.from_numpy(self._answers[np.repeat(begins, counts) + within])

    def _keys(self, queries: np.ndarray) -> np.ndarray:
        keys = np.zeros(len(queries), np.int64)
        for column, size in zip(queries.T, self._sizes, strict=True):
            keys = keys * size + column
        return keys


def filtered_ranks(scores: Tensor, answers: Tensor, known: tuple[Tensor, Tensor], ties: Ties) -> Tensor:
    """The rank of each row's answer, int64 (N,), from 1.

    `scores` is (N, candidates), `answers` (N,); the pairs of `known` are left out, except the answer itself. Raises
    `WeightsError` for a score that is no finite number: among such the first rank would mean nothing.
    """
    # One pass over the scores, which are many.
    if not torch.stack(torch.aminmax(scores)).isfinite().all():
        raise WeightsError(f"the scores must be finite to be ranked, {int((~torch.isfinite(scores)).sum())} of "
                           f"{scores.numel()} are not: the training has diverged; a lower base_lr may help")
    rows, columns = known
    others = columns != answers[rows]
    rows, columns = rows[others], columns[others]
    own = scores.gather(1, answers[:, None])
    left_out = scores[rows, columns]

    def count(above: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
        return above(scores, own).sum(1) - torch.bincount(rows[above(left_out, own[rows, 0])], minlength=len(scores))

    better = count(torch.gt)
    if ties is Ties.OPTIMISTIC:
        return better + 1
    return better + (count(torch.eq) - 1) // 2 + 1


@dataclass(frozen=True, kw_only=True)
class Ranking:
    """What ranks come to: their mean, the mean of their inverses, and the shares of those up to 1, 3 and 10."""

    queries: int
    mean_rank: float
    mrr: float
    hits: tuple[float, ...]

    @classmethod
    def of(cls, ranks: Sequence[Tensor]) -> Ranking:
        """Of all ranks together."""
        together = torch.cat(list(ranks)).double()
        return cls(queries=len(together), mean_rank=float(together.mean()), mrr=float(together.reciprocal().mean()),
                   hits=tuple(float((together <= cutoff).double().mean()) for cutoff in CUTOFFS))

    def metrics(self) -> dict[str, float]:
        """By the names tables have."""
        return {"mr": self.mean_rank, "mrr": self.mrr,
                **{f"hits@{cutoff}": hits for cutoff, hits in zip(CUTOFFS, self.hits, strict=True)}}


def rank(queries: np.ndarray, answers: np.ndarray, score: Callable[[np.ndarray], Tensor], known: KnownAnswers,
         ties: Ties, *, at_once: int = 256) -> Tensor:
    """The filtered rank of every query's answer, (N,), scoring `at_once` of them at a time.

    `score` gives (n, candidates) for n rows of `queries`.
    """
    found = []
    with torch.no_grad():
        for begin in range(0, len(queries), at_once):
            some = queries[begin:begin + at_once]
            found.append(filtered_ranks(score(some), torch.from_numpy(answers[begin:begin + at_once]),
                                        known.of(some), ties))
    return torch.cat(found)
