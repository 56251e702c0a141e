from __future__ import annotations

import numpy as np
import pytest
import torch

from cortado.errors import FieldError, LayerError


@pytest.mark.parametrize(("axis", "start", "count", "step", "places"), [
    ((1,), (1,), (3,), (2,), np.s_[:, 1:6:2]), ((2,), (3,), (4,), (-1,), np.s_[:, :, ::-1]),
    ((1, 2), (6, 0), (3, 2), (-3, 1), np.s_[:, 6::-3, 0:2]), ((0,), (1,), (1,), (1,), np.s_[1:2]),
])
def test_equals_numpy(make_spec, make_layer, top_dims, gradients_are_right, rng, axis, start, count, step, places):
    spec, x = make_spec("StridedSlice", axis=axis, start=start, count=count, step=step), rng.standard_normal((2, 7, 4))
    layer = make_layer(spec, x.shape)
    np.testing.assert_array_equal(layer(torch.from_numpy(x))[0].numpy(), x[places])
    assert top_dims(spec, x.shape) == [x[places].shape]
    assert gradients_are_right(layer, x)


def test_what_does_not_fit(make_spec, top_dims):
    with pytest.raises(FieldError, match=r"^step must not be 0$"):
        make_spec("StridedSlice", axis=(0,), start=(0,), count=(1,), step=(0,))
    with pytest.raises(LayerError, match=r"^layer 'x': the slice must be within the 3 of axis 0 of bottom 'b0', it is "
                                         r"from 1 to 3$"):
        top_dims(make_spec("StridedSlice", axis=(0,), start=(1,), count=(2,), step=(2,)), (3,))
