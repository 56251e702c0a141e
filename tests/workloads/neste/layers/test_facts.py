"""The layers that draw facts, on DBHE."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from cortado.errors import FieldError, LayerError
from cortado.workloads.neste.dataset import load_nested_facts
from cortado.workloads.neste.fact import FactParameters, Part


def test_triples_and_corrupted_ones(real_files, layer_of):
    torch.manual_seed(0)
    layer = layer_of("CorruptedTriples", tops=5, dataset="DBHE", batch_size=400)
    heads, relations, tails, replacements, replaces_head = layer()
    known = set(map(tuple, load_nested_facts("DBHE").triples["train"].tolist()))
    drawn = list(zip(heads.tolist(), relations.tolist(), tails.tolist(), strict=True))
    assert set(drawn) <= known
    for (head, relation, tail), row, ends in zip(drawn, replacements.tolist(), replaces_head.tolist(), strict=True):
        for entity, is_head in zip(row, ends, strict=True):
            assert ((entity, relation, tail) if is_head else (head, relation, entity)) not in known
    # A head of 'genre' has several tails and a tail thousands of heads, so tails are hardly ever kept.
    assert replaces_head.shape == (400, 25)


def test_the_end_that_is_replaced_follows_the_relation(real_files, layer_of):
    train = load_nested_facts("DBHE").triples["train"]
    layer = layer_of("CorruptedTriples", tops=5, dataset="DBHE", batch_size=20_000)
    torch.manual_seed(0)
    _, relations, _, _, replaces_head = layer()
    relation = int(np.bincount(train[:, 1]).argmax())
    own = train[train[:, 1] == relation]
    tails_a_head, heads_a_tail = len(own) / len(set(own[:, 0])), len(own) / len(set(own[:, 2]))
    share = replaces_head[relations == relation].mean().item()
    assert share == pytest.approx(tails_a_head / (tails_a_head + heads_a_tail), abs=0.01)


def test_augmented_triples(real_files, layer_of):
    torch.manual_seed(0)
    layer = layer_of("CorruptedTriples", tops=5, dataset="DBHE", batch_size=400, part=Part.AUGMENTED)
    heads, relations, tails, _, replaces_head = layer()
    augmented = set(map(tuple, load_nested_facts("DBHE").augmented.tolist()))
    assert set(zip(heads.tolist(), relations.tolist(), tails.tolist(), strict=True)) <= augmented
    assert replaces_head.mean().item() == pytest.approx(0.5, abs=0.02)


def test_nested_facts(real_files, layer_of):
    torch.manual_seed(0)
    layer = layer_of("CorruptedNestedFacts", tops=11, dataset="DBHE", batch_size=300)
    *pairs, new_heads, new_relations, new_tails, replaces_first = layer()
    data = load_nested_facts("DBHE")
    assert set(map(tuple, torch.stack(pairs, 1).tolist())) <= set(map(tuple, data.pairs(data.facts["train"]).tolist()))
    new = torch.stack([new_heads, new_relations, new_tails], 2)
    assert set(map(tuple, new.flatten(0, 1).tolist())) <= set(map(tuple, data.triples["train"].tolist()))
    assert replaces_first.mean().item() == pytest.approx(0.5, abs=0.02)


def test_refusals(real_files, layer_of):
    with pytest.raises(FieldError, match=r"^dataset must be one of FBH, FBHE, DBHE, not 'YAGO'$"):
        FactParameters(dataset="YAGO", batch_size=1)
    with pytest.raises(FieldError, match=r"^corrupted must be at least 1, not 0$"):
        FactParameters(dataset="DBHE", batch_size=1, corrupted=0)
    with pytest.raises(LayerError) as caught:
        layer_of("CorruptedNestedFacts", tops=11, dataset="DBHE", batch_size=1, part=Part.AUGMENTED)
    assert str(caught.value) == "layer 'x': part must be TRAINING: no nested facts are concluded by rules"
