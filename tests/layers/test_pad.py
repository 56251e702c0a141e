from __future__ import annotations

import numpy as np
import pytest
import torch

from cortado.errors import FieldError, LayerError
from cortado.layers.pad import Pad, PadMode

NUMPY = {PadMode.CONSTANT: {"mode": "constant", "constant_values": 1.5}, PadMode.EDGE: {"mode": "edge"},
         PadMode.REFLECT: {"mode": "reflect"}, PadMode.WRAP: {"mode": "wrap"}}


@pytest.mark.parametrize("mode", PadMode)
@pytest.mark.parametrize(("begin", "end"), [((0, 1, 2), (0, 2, 3)), ((0, 0, 0), (0, 0, 1)), ((0, 2, 0), (0, 0, 0))])
def test_equals_numpy(make_spec, make_layer, top_dims, gradients_are_right, rng, mode, begin, end):
    x = rng.standard_normal((2, 3, 5))
    spec = make_spec("Pad", begin=begin, end=end, mode=mode, value=1.5 if mode is PadMode.CONSTANT else 0.0)
    layer = make_layer(spec, x.shape)
    expected = np.pad(x, tuple(zip(begin, end, strict=True)), **NUMPY[mode])
    np.testing.assert_array_equal(layer(torch.from_numpy(x))[0].numpy(), expected)
    assert top_dims(spec, x.shape) == [expected.shape]
    assert gradients_are_right(layer, x)


@pytest.mark.parametrize("mode", PadMode)
def test_negative_numbers_cut_off_first(make_spec, make_layer, rng, mode):
    x = rng.standard_normal((2, 6))
    layer = make_layer(make_spec("Pad", begin=(0, -1), end=(0, 2), mode=mode, value=1.5), x.shape)
    expected = np.pad(x[:, 1:], ((0, 0), (0, 2)), **NUMPY[mode])
    np.testing.assert_array_equal(layer(torch.from_numpy(x))[0].numpy(), expected)


def test_one_scale_serves_zeros(make_spec):
    assert Pad.keeps_scale(make_spec("Pad", begin=(1,), end=(0,)))
    assert not Pad.keeps_scale(make_spec("Pad", begin=(1,), end=(0,), value=1.0))


def test_what_does_not_fit(make_spec, top_dims):
    with pytest.raises(FieldError, match=r"^end must have one value for each of 1 of begin, not 0$"):
        make_spec("Pad", begin=(1,))
    with pytest.raises(LayerError, match=r"^layer 'x': something of the 2 of axis 0 must be left, -1 and -1 take all$"):
        top_dims(make_spec("Pad", begin=(-1,), end=(-1,)), (2,))
