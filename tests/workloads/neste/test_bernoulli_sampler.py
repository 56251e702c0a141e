from __future__ import annotations

import numpy as np
import pytest
import torch

from cortado.workloads.neste.bernoulli_sampler import BernoulliSampler


def test_the_end_with_more_answers_is_replaced_more_often():
    # Relation 0: one head with four tails. Relation 1: two heads with one tail each.
    triples = np.array([[0, 0, 1], [0, 0, 2], [0, 0, 3], [0, 0, 4], [1, 1, 5], [2, 1, 6]])
    sampler = BernoulliSampler(triples, 8)
    # tph / (tph + hpt) = 4 / (4 + 1) and 1 / (1 + 1).
    assert sampler.replaces_head.tolist() == pytest.approx([0.8, 0.5])
    torch.manual_seed(0)
    drawn, replaces_head = sampler.draw(torch.from_numpy(triples[:1]), 20_000)
    assert replaces_head.float().mean().item() == pytest.approx(0.8, abs=0.01)
    # All that make no triple are drawn, and no other.
    assert set(drawn[replaces_head].tolist()) == {1, 2, 3, 4, 5, 6, 7}
    assert set(drawn[~replaces_head].tolist()) == {0, 5, 6, 7}
