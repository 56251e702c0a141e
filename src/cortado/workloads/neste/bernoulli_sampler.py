"""How triples are corrupted at the end that is less likely to give a true one.

Source: Wang et al. 2014, "Knowledge Graph Embedding by Translating on Hyperplanes", section 4.2.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor


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
