from __future__ import annotations

import numpy as np
import pytest
import torch

from cortado.errors import WeightsError
from cortado.workloads.ranking import KnownAnswers, Ranking, Ties, filtered_ranks, rank


def naive_rank(scores, answer, known, ties):
    """By going through the candidates."""
    better = equal = 0
    for candidate, score in enumerate(scores):
        if candidate == answer or candidate in known:
            continue
        better += score > scores[answer]
        equal += score == scores[answer]
    return better + (equal // 2 if ties is Ties.MEAN else 0) + 1


@pytest.mark.parametrize("ties", Ties)
def test_equals_a_loop_over_candidates(rng, ties):
    # Few different scores, so that most ranks have ties.
    queries = rng.integers(0, 4, (60, 2))
    answers = rng.integers(0, 9, 60)
    table = rng.integers(0, 4, (4, 4, 9)).astype(np.float64)
    known = {}
    for query, answer in zip(queries.tolist(), answers.tolist(), strict=True):
        known.setdefault(tuple(query), set()).add(answer)

    def score(some):
        return torch.from_numpy(table[some[:, 0], some[:, 1]])

    found = rank(queries, answers, score, KnownAnswers(queries, answers), ties, at_once=7)
    assert found.tolist() == [
        naive_rank(table[tuple(query)], answer, known[tuple(query)] - {answer}, ties)
        for query, answer in zip(queries, answers, strict=True)]


def test_the_rule_for_ties_decides_for_scores_that_are_all_equal():
    scores, answers = torch.zeros(1, 101), torch.tensor([7])
    nothing = (torch.zeros(0, dtype=torch.int64),) * 2
    assert filtered_ranks(scores, answers, nothing, Ties.OPTIMISTIC).tolist() == [1]
    assert filtered_ranks(scores, answers, nothing, Ties.MEAN).tolist() == [51]


def test_a_query_nobody_knows_has_no_known_answers():
    known = KnownAnswers(np.array([[1, 0], [1, 0], [0, 1]]), np.array([4, 4, 2]))
    rows, answers = known.of(np.array([[9, 9], [1, 0], [1, 1], [0, 1]]))
    assert list(zip(rows.tolist(), answers.tolist(), strict=True)) == [(1, 4), (3, 2)]


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_no_number_is_not_ranked(value):
    with pytest.raises(WeightsError) as caught:
        filtered_ranks(torch.tensor([[1.0, value, 0.0]]), torch.tensor([0]), (torch.zeros(0, dtype=torch.int64),) * 2,
                       Ties.MEAN)
    assert str(caught.value) == ("the scores must be finite to be ranked, 1 of 3 are not: the training has diverged; a "
                                 "lower base_lr may help")


def test_ranks_come_to_means():
    ranking = Ranking.of([torch.tensor([1, 2]), torch.tensor([4, 20])])
    assert ranking.metrics() == {"mr": 6.75, "mrr": pytest.approx((1 + 1 / 2 + 1 / 4 + 1 / 20) / 4), "hits@1": 0.25,
                                 "hits@3": 0.5, "hits@10": 0.75}
    assert ranking.queries == 4
