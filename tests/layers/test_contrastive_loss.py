from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from cortado.errors import FieldError, LayerError
from cortado.layers.contrastive_loss import ContrastiveLossParameters


@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize("margin", [1.0, 4.0])
def test_equals_a_loop(make_spec, make_layer, top_dims, rng, margin, legacy):
    spec = make_spec("ContrastiveLoss", bottoms=3, margin=margin, legacy_version=legacy)
    first, second, same = rng.standard_normal((6, 3)), rng.standard_normal((6, 3)), np.array([0.0, 1, 0, 0, 1, 0])
    second[5] = first[5]
    total = 0.0
    for one, other, kind in zip(first, second, same, strict=True):
        square = sum((a - b) ** 2 for a, b in zip(one, other, strict=True))
        apart = max(margin - square, 0) if legacy else max(margin - math.sqrt(square), 0) ** 2
        total += square if kind else apart
    layer = make_layer(spec, (6, 3), (6, 3), (6,))
    y, = layer(torch.from_numpy(first), torch.from_numpy(second), torch.from_numpy(same))
    np.testing.assert_allclose(y.item(), total / 12, rtol=1e-5)
    assert top_dims(spec, (6, 3), (6, 3), (6,)) == [()]
    values = [torch.from_numpy(value[:5]).requires_grad_() for value in (first, second)]
    assert torch.autograd.gradcheck(lambda *rows: layer(*rows, torch.from_numpy(same[:5])), values)


def test_rows_that_are_equal_have_a_gradient(make_spec, make_layer):
    rows = torch.ones(1, 2, requires_grad=True)
    make_layer(make_spec("ContrastiveLoss", bottoms=3), (1, 2), (1, 2), (1,))(
        rows, torch.ones(1, 2), torch.zeros(1))[0].backward()
    assert rows.grad.tolist() == [[0, 0]]


def test_bad_field():
    with pytest.raises(FieldError) as caught:
        ContrastiveLossParameters(margin=-1.0)
    assert str(caught.value) == "margin must be at least 0, not -1.0"


@pytest.mark.parametrize(("bottoms", "message"), [
    ([(2, 3, 4), (2, 3, 4), (2,)], "bottom 'b0' must be rows of features (N, C), not 2x3x4"),
    ([(2, 3), (2, 4), (2,)], "bottom 'b1' must have the rows of bottom 'b0' (2x3), not 2x4"),
    ([(2, 3), (2, 3), (3,)], "bottom 'b2' must have one value for each of 2 rows, not 3"),
])
def test_bad_bottoms(make_spec, top_dims, bottoms, message):
    with pytest.raises(LayerError) as caught:
        top_dims(make_spec("ContrastiveLoss", bottoms=3), *bottoms)
    assert str(caught.value) == f"layer 'x': {message}"
