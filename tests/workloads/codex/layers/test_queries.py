"""The layers that read queries, on CoDEx-S."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from cortado.errors import FieldError
from cortado.layers.layer import layer_types
from cortado.workloads.codex.dataset import load_codex
from cortado.workloads.codex.query import QueryParameters


@pytest.fixture
def train(real_files):
    return load_codex("codex-s").splits["train"]


def test_a_pass_has_both_queries_of_every_triple_once(layer_of, train):
    layer = layer_of("KnowledgeGraphQueries", tops=3, dataset="codex-s", batch_size=8_222)
    found = np.concatenate([torch.stack(layer(), 1).numpy() for _ in range(8)])
    expected = [(h, r, t) for h, r, t in train.tolist()] + [(t, r + 42, h) for h, r, t in train.tolist()]
    assert sorted(map(tuple, found.tolist())) == sorted(expected)


def test_all_answers_of_a_query(layer_of, train):
    layer = layer_of("KnowledgeGraphAnswers", tops=3, dataset="codex-s", batch_size=64, shuffle=False)
    answers = {}
    for head, relation, tail in train.tolist():
        answers.setdefault((head, relation), set()).add(tail)
        answers.setdefault((tail, relation + 42), set()).add(head)
    entities, relations, labels = layer()
    assert labels.shape == (64, 2034)
    for entity, relation, row in zip(entities.tolist(), relations.tolist(), labels, strict=True):
        assert set(row.nonzero()[:, 0].tolist()) == answers[entity, relation]
        assert set(row.tolist()) == {0.0, 1.0}


def test_candidates_begin_with_the_answer(layer_of, train):
    torch.manual_seed(0)
    layer = layer_of("KnowledgeGraphCandidates", tops=3, dataset="codex-s", batch_size=50, drawn=7, shuffle=False)
    entities, relations, candidates = layer()
    assert torch.stack([entities, relations, candidates[:, 0]], 1).tolist() == train[:50].tolist()
    assert candidates.shape == (50, 8)
    assert 0 <= int(candidates.min()) <= int(candidates.max()) < 2034


def test_refusals():
    with pytest.raises(FieldError, match=r"^dataset must be one of codex-s, codex-m, not 'wn18'$"):
        QueryParameters(dataset="wn18", batch_size=1)
    with pytest.raises(FieldError, match=r"^batch_size must be at least 1, not 0$"):
        QueryParameters(dataset="codex-s", batch_size=0)
    with pytest.raises(FieldError, match=r"^drawn must be at least 1, not 0$"):
        layer_types["KnowledgeGraphCandidates"].parameters_type(dataset="codex-s", batch_size=1, drawn=0)


def test_reciprocal_rank(layer_of, train):
    layer = layer_of("ReciprocalRank", (2, 2034), (2,), (2,), (2,), dataset="codex-s")
    (head, relation, tail), *_ = train.tolist()
    others = [t for h, r, t in train.tolist() if (h, r) == (head, relation) and t != tail]
    scores = torch.zeros(2, 2034)
    # Above the answer are three entities and all its other answers, which do not count.
    above = [entity for entity in range(2034) if entity not in (tail, *others)][:3]
    scores[0, [*above, *others]], scores[0, tail] = 2, 1
    scores[1, tail] = 1
    found, = layer(scores, torch.tensor([head, head]), torch.tensor([relation, relation]), torch.tensor([tail, tail]))
    assert float(found) == pytest.approx((1 / 4 + 1) / 2)
