from __future__ import annotations

import numpy as np
import pytest
import torch

from cortado.errors import FieldError
from cortado.layers.random_affine import RandomAffineParameters


def test_the_identity_outside_training(make_spec, make_layer, top_dims, rng):
    spec = make_spec("RandomAffine", slant=0.1, scale=0.1, move=1.0)
    x = torch.from_numpy(rng.standard_normal((2, 3, 8, 8)))
    assert torch.equal(make_layer(spec, (2, 3, 8, 8)).eval()(x)[0], x)
    assert top_dims(spec, (2, 3, 8, 8)) == [(2, 3, 8, 8)]


def test_without_any_change_it_is_the_identity(make_spec, make_layer, rng):
    x = torch.from_numpy(rng.standard_normal((2, 3, 8, 8)))
    torch.testing.assert_close(make_layer(make_spec("RandomAffine"), (2, 3, 8, 8))(x)[0], x)


def test_moves_by_at_most_so_many_pixels(make_spec, make_layer):
    """The centre of mass of a spot moves, each picture by itself, within the bound."""
    torch.manual_seed(1)
    x = torch.zeros(200, 1, 17, 17)
    x[:, :, 8, 8] = 1
    y, = make_layer(make_spec("RandomAffine", move=3.0), (200, 1, 17, 17))(x)
    places = torch.arange(17.0)
    mass = y.sum((1, 2, 3))
    np.testing.assert_allclose(mass, np.ones(200), rtol=1e-4)
    moved = torch.stack([(y.sum((1, 3)) * places).sum(1) - 8, (y.sum((1, 2)) * places).sum(1) - 8])
    assert float(moved.abs().max()) <= 3.001
    assert float(moved.max()) > 2.5
    assert float(moved.min()) < -2.5


def test_gradient(make_spec, make_layer, rng):
    layer = make_layer(make_spec("RandomAffine", slant=0.2, scale=0.1, move=1.0), (2, 1, 4, 4))

    def warped(x):
        torch.manual_seed(3)
        return layer(x)

    assert torch.autograd.gradcheck(warped, torch.from_numpy(rng.standard_normal((2, 1, 4, 4))).requires_grad_())


@pytest.mark.parametrize(("fields", "message"), [
    ({"move": -1.0}, "move must be at least 0, not -1.0"),
    ({"scale": 1.0}, "scale must be below 1, not 1.0"),
])
def test_bad_fields(fields, message):
    with pytest.raises(FieldError) as caught:
        RandomAffineParameters(**fields)
    assert str(caught.value) == message
