from __future__ import annotations

import numpy as np
import torch


def test_equals_numpy(make_spec, make_layer, top_dims, rng):
    spec = make_spec("Where", bottoms=3)
    condition, one, other = rng.random((3, 1)) > 0.5, rng.standard_normal((2, 3, 4)), rng.standard_normal(4)
    shapes = (condition.shape, one.shape, other.shape)
    found = make_layer(spec, *shapes)(*(torch.from_numpy(value) for value in (condition, one, other)))[0]
    np.testing.assert_array_equal(found.numpy(), np.where(condition, one, other))
    assert top_dims(spec, *shapes) == [(2, 3, 4)]


def test_a_number_is_true_unless_it_is_0(make_spec, make_layer):
    condition, one, other = np.array([0.0, 0.5, -1.0, np.nan]), np.arange(4.0), np.full(4, 9.0)
    found = make_layer(make_spec("Where", bottoms=3), (4,), (4,), (4,))(
        *(torch.from_numpy(value) for value in (condition, one, other)))[0]
    np.testing.assert_array_equal(found.numpy(), np.where(condition, one, other))
