from __future__ import annotations

import numpy as np
import pytest
import torch

from cortado.errors import FieldError
from cortado.layers.parameter import ParameterShape
from cortado.layers.quant import Rounding


@pytest.mark.parametrize(("rounding", "expected"), [
    (Rounding.ROUND, [-2, -2, 0, 0, 2, 2]), (Rounding.CEIL, [-2, -1, 0, 1, 2, 3]),
    (Rounding.FLOOR, [-3, -2, -1, 0, 1, 2]), (Rounding.UP, [-3, -2, -1, 1, 2, 3]),
    (Rounding.DOWN, [-2, -1, 0, 0, 1, 2]), (Rounding.HALF_UP, [-3, -2, -1, 1, 2, 3]),
    (Rounding.HALF_DOWN, [-2, -1, 0, 0, 1, 2])])
def test_halves(make_spec, make_layer, rounding, expected):
    layer = make_layer(make_spec("Quant", least=-8.0, most=7.0, rounding=rounding), (6,))
    with torch.no_grad():
        layer.blobs[0].fill_(0.5)
        layer.blobs[1].fill_(0)
    x = torch.tensor([-2.5, -1.5, -0.5, 0.5, 1.5, 2.5]) / 2
    assert (layer(x)[0] * 2).tolist() == expected


def test_limits_zero_point_and_a_scale_for_each_channel(make_spec, make_layer, rng):
    x = rng.standard_normal((2, 3, 4)).astype(np.float32) * 10
    scale, zero = rng.uniform(0.5, 1, (1, 3, 1)).astype(np.float32), np.float32(2)
    spec = make_spec("Quant", least=0.0, most=15.0, scale_shape=ParameterShape(dim=(1, 3, 1)))
    layer = make_layer(spec, x.shape)
    with torch.no_grad():
        layer.blobs[0].copy_(torch.from_numpy(scale))
        layer.blobs[1].fill_(2)
    expected = (np.clip(np.rint(x / scale + zero), 0, 15) - zero) * scale
    np.testing.assert_array_equal(layer(torch.from_numpy(x))[0].detach().numpy(), expected)


def test_limits_that_are_none(make_spec):
    with pytest.raises(FieldError, match=r"^most must be above the least number 1, not 1$"):
        make_spec("Quant", least=1.0, most=1.0)
