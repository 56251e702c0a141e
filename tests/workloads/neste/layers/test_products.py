"""Scores of triples and nested facts against the authors' formulas, number by number."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.autograd import gradcheck

from cortado.errors import LayerError
from cortado.workloads.neste.algebra import Algebra
from cortado.workloads.neste.layers.hypercomplex_product import Asked


def multiply(algebra, left, right):
    """One number times another, by the table."""
    return np.einsum("a,b,abc->c", left, right, algebra.table.numpy())


def direction(numbers):
    return numbers / np.sqrt((numbers**2).sum())


def atomic_score(algebra, head, relation, tail, translation):
    """The sum over dimensions; vectors are (4, k)."""
    return sum(multiply(algebra, head[:, k] + translation[:, k], direction(relation[:, k])) @ tail[:, k]
               for k in range(head.shape[1]))


def nested_score(algebra, first, relation, second, translation):
    """Facts and translation are (n, 4, k), the relation is (n, n, 4, k), row j and column i."""
    parts, _, numbers = first.shape
    return sum(multiply(algebra, first[i, :, k] + translation[i, :, k], direction(relation[j, i, :, k]))
               @ second[j, :, k] for i in range(parts) for j in range(parts) for k in range(numbers))


@pytest.mark.parametrize("translated", [False, True])
@pytest.mark.parametrize("algebra", Algebra)
def test_a_triple(layer_of, rng, algebra, translated):
    head, relation, tail, translation = rng.standard_normal((4, 2, 4, 3))
    translation *= translated
    expected = [atomic_score(algebra, *(vector[n] for vector in (head, relation, tail, translation)))
                for n in range(2)]

    def flat(*vectors):
        return [torch.from_numpy(vector.reshape(2, 12)) for vector in vectors[:None if translated else 2]]

    dims = ((2, 12),) * (3 if translated else 2)
    asks_tail = layer_of("HypercomplexProduct", *dims, algebra=algebra, asked=Asked.TAIL)
    asks_head = layer_of("HypercomplexProduct", *dims, tops=2 if translated else 1, algebra=algebra, asked=Asked.HEAD)
    query, = asks_tail(*flat(head, relation, translation))
    np.testing.assert_allclose((query * torch.from_numpy(tail.reshape(2, 12))).sum(1), expected, rtol=1e-12)
    query, *offset = asks_head(*flat(tail, relation, translation))
    scores = (query * torch.from_numpy(head.reshape(2, 12))).sum(1) + (offset[0] if offset else 0)
    np.testing.assert_allclose(scores, expected, rtol=1e-12)
    assert gradcheck(asks_tail, [value.requires_grad_() for value in flat(head, relation, translation)])


@pytest.mark.parametrize("parts", [3, 4])
@pytest.mark.parametrize("algebra", Algebra)
def test_a_nested_fact(layer_of, rng, algebra, parts):
    translated = parts == 4
    first, second, translation = rng.standard_normal((3, 2, parts, 4, 2))
    relation = rng.standard_normal((2, parts, parts, 4, 2))
    translation *= translated
    expected = [nested_score(algebra, *(vector[n] for vector in (first, relation, second, translation)))
                for n in range(2)]
    # In the network's order: parts of a fact one after the other, of a relation and a translation the components.
    matrix = torch.from_numpy(np.moveaxis(relation, 3, 1).reshape(2, -1))
    move = [torch.from_numpy(np.moveaxis(translation, 2, 1).reshape(2, -1))] * translated
    first, second = (torch.from_numpy(fact.reshape(2, -1)) for fact in (first, second))
    dims = ((2, parts * 8), (2, parts**2 * 8), *((2, parts * 8),) * translated)
    asks_tail = layer_of("NestedProduct", *dims, algebra=algebra, asked=Asked.TAIL)
    asks_head = layer_of("NestedProduct", *dims, tops=1 + translated, algebra=algebra, asked=Asked.HEAD)
    query, = asks_tail(first, matrix, *move)
    np.testing.assert_allclose((query * second).sum(1), expected, rtol=1e-12)
    query, *offset = asks_head(second, matrix, *move)
    np.testing.assert_allclose((query * first).sum(1) + (offset[0] if offset else 0), expected, rtol=1e-12)
    assert gradcheck(asks_tail, [value.requires_grad_() for value in (first, matrix, *move)])


def test_a_compressed_fact(layer_of, rng):
    maps, facts = rng.standard_normal((4, 2, 6)), rng.standard_normal((3, 3, 4, 2))
    compression = layer_of("FactCompression", (3, 24), blobs=(maps,))
    expected = np.array([[maps[c] @ fact[:, c].reshape(6) for c in range(4)] for fact in facts])
    compressed, = compression(torch.from_numpy(facts.reshape(3, 24)))
    np.testing.assert_allclose(compressed.detach(), expected.reshape(3, 8), rtol=1e-12)
    # The expansion is its adjoint.
    queries = torch.from_numpy(rng.standard_normal((3, 8)))
    expanded, = layer_of("FactExpansion", (3, 8), blobs=(maps,))(queries)
    np.testing.assert_allclose((expanded.detach() * torch.from_numpy(facts.reshape(3, 24))).sum(1),
                               (queries * compressed.detach()).sum(1), rtol=1e-12)


def test_refusals(layer_of):
    with pytest.raises(LayerError) as caught:
        layer_of("HypercomplexProduct", (2, 12), (2, 16), algebra=Algebra.SPLIT, asked=Asked.TAIL)
    assert str(caught.value) == "layer 'x': all bottoms must be of one shape (N, 4 k)"
    with pytest.raises(LayerError) as caught:
        layer_of("HypercomplexProduct", *((2, 12),) * 3, algebra=Algebra.SPLIT, asked=Asked.HEAD)
    assert str(caught.value) == ("layer 'x': it must have 2 tops, not 1: the second is what a translation adds to the "
                                 "score of every head")
    with pytest.raises(LayerError) as caught:
        layer_of("NestedProduct", (2, 24), (2, 60), algebra=Algebra.SPLIT, asked=Asked.TAIL)
    assert str(caught.value) == ("layer 'x': the nested relation must have n times the numbers of a fact, which has n "
                                 "parts of 4 k, not 60 for 24")
    with pytest.raises(LayerError) as caught:
        layer_of("FactCompression", (2, 20))
    assert str(caught.value) == "layer 'x': the bottom must have 3 parts of 4 k numbers, not 20"
