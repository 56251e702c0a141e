from __future__ import annotations

import numpy as np
import pytest
import torch

from cortado.layers.element_type import ElementType


@pytest.mark.parametrize(("to", "expected"), [
    (ElementType.INT32, [-2, 0, 0, 3]), (ElementType.BOOL, [True, True, False, True]),
    (ElementType.DOUBLE, [-2.75, 0.5, 0.0, 3.0]), (ElementType.FLOAT16, [-2.75, 0.5, 0.0, 3.0]),
])
def test_values(make_spec, make_layer, to, expected):
    layer = make_layer(make_spec("Cast", to=to), (4,))
    found = layer(torch.tensor([-2.75, 0.5, 0.0, 3.0]))[0].numpy()
    assert found.dtype == to.numpy
    np.testing.assert_array_equal(found, expected)
