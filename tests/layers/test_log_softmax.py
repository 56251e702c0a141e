from __future__ import annotations

import numpy as np
import torch


def test_equals_the_logarithm_of_the_shares(make_spec, make_layer, gradients_are_right, rng):
    x = rng.standard_normal((2, 5, 3))
    layer = make_layer(make_spec("LogSoftmax", axis=1), x.shape)
    expected = np.log(np.exp(x) / np.exp(x).sum(1, keepdims=True))
    np.testing.assert_allclose(layer(torch.from_numpy(x))[0].numpy(), expected, rtol=1e-12)
    assert gradients_are_right(layer, x)
