from __future__ import annotations

import torch


def test_equals_a_loop(make_spec, make_layer, top_dims):
    spec = make_spec("Threshold", threshold=0.5)
    x = [[-1.0, 0.5, 0.500001], [0.4, 7.0, -0.5]]
    y, = make_layer(spec, (2, 3))(torch.tensor(x))
    assert y.tolist() == [[1.0 if v > 0.5 else 0.0 for v in row] for row in x]
    assert y.dtype == torch.float32
    assert top_dims(spec, (2, 3)) == [(2, 3)]


def test_it_is_zero_unless_told(make_spec, make_layer):
    assert make_layer(make_spec("Threshold"), (3,))(torch.tensor([-0.1, 0.0, 0.1]))[0].tolist() == [0, 0, 1]
