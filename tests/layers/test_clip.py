from __future__ import annotations

import numpy as np
import pytest
import torch

from cortado.errors import FieldError
from cortado.layers.clip import ClipParameters


def test_equals_a_loop(make_spec, make_layer, top_dims, rng):
    spec = make_spec("Clip", min=-0.5, max=0.25)
    x = rng.standard_normal((3, 4))
    y, = make_layer(spec, (3, 4))(torch.from_numpy(x))
    np.testing.assert_array_equal(y.numpy(), [[min(max(v, -0.5), 0.25) for v in row] for row in x.tolist()])
    assert top_dims(spec, (3, 4)) == [(3, 4)]


def test_gradient(make_spec, make_layer, gradients_are_right, rng):
    assert gradients_are_right(make_layer(make_spec("Clip", min=-0.5, max=0.5), (3, 4)), rng.standard_normal((3, 4)))


def test_the_gradient_passes_on_the_bounds(make_spec, make_layer):
    x = torch.tensor([-2.0, -1.0, 1.0, 2.0], requires_grad=True)
    make_layer(make_spec("Clip", min=-1.0, max=1.0), (4,))(x)[0].sum().backward()
    assert x.grad.tolist() == [0, 1, 1, 0]


def test_bounds_that_cross():
    with pytest.raises(FieldError) as caught:
        ClipParameters(min=1.0, max=0.0)
    assert str(caught.value) == "min must be at most max 0.0, not 1.0"
