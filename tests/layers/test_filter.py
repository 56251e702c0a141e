from __future__ import annotations

import numpy as np
import pytest
import torch

from cortado.errors import LayerError


def test_equals_a_loop(make_spec, make_layer, top_dims, rng):
    spec = make_spec("Filter", bottoms=3, tops=2)
    x, labels, chosen = rng.standard_normal((4, 2, 3)), np.arange(4.0), np.array([1.0, 0, 0, 2])
    tops = make_layer(spec, (4, 2, 3), (4,), (4,))(*map(torch.from_numpy, (x, labels, chosen)))
    for top, bottom in zip(tops, (x, labels), strict=True):
        np.testing.assert_array_equal(top.numpy(), [row for row, flag in zip(bottom, chosen, strict=True) if flag])
    assert top_dims(spec, (4, 2, 3), (4,), (4,)) == [(4, 2, 3), (4,)]


def test_gradient(make_spec, make_layer, rng):
    layer = make_layer(make_spec("Filter", bottoms=2), (3, 2), (3, 1, 1, 1))
    x = torch.from_numpy(rng.standard_normal((3, 2))).requires_grad_()
    assert torch.autograd.gradcheck(lambda x: layer(x, torch.tensor([1, 0, 1]).reshape(3, 1, 1, 1)), x)


@pytest.mark.parametrize(("tops", "bottoms", "message"), [
    (2, [(3, 2), (3,)], "Filter must have one top for each of its 1 bottoms but the last, not 2"),
    (1, [(3, 2), (4,)], "bottom 'b1' must have one number for each picture of bottom 'b0' (3x2), not 4"),
    (1, [(3, 2), (3, 2)], "bottom 'b1' must have one number for each picture of bottom 'b0' (3x2), not 3x2"),
])
def test_bad_blobs(make_spec, top_dims, tops, bottoms, message):
    with pytest.raises(LayerError) as caught:
        top_dims(make_spec("Filter", bottoms=2, tops=tops), *bottoms)
    assert str(caught.value) == f"layer 'x': {message}"
