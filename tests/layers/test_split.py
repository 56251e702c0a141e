from __future__ import annotations

import torch

from cortado.layers.split import Split


def test_every_top_is_the_bottom(make_spec, make_layer, top_dims, gradients_are_right, rng):
    spec = make_spec("Split", tops=3)
    x = rng.standard_normal((2, 3))
    layer = make_layer(spec, x.shape)
    tops = layer(torch.from_numpy(x))
    assert [top.tolist() for top in tops] == [x.tolist()] * 3
    assert top_dims(spec, x.shape) == [(2, 3)] * 3
    assert gradients_are_right(layer, x)


def test_gradients_of_the_tops_add_up(make_spec, make_layer):
    x = torch.ones(2, requires_grad=True)
    first, second = make_layer(make_spec("Split", tops=2), (2,))(x)
    (first + 2 * second).sum().backward()
    assert x.grad.tolist() == [3, 3]


def test_keeps_the_scale(make_spec):
    assert Split.keeps_scale(make_spec("Split", tops=2))
