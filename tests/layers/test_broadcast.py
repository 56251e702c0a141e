from __future__ import annotations

import numpy as np
import pytest

from cortado.graph.shape import TensorShape
from cortado.layers.broadcast import broadcast_shape


@pytest.mark.parametrize("shapes", [((2, 3), (3,)), ((), (4,)), ((2, 1, 4), (3, 1)), ((1,), (1, 1)),
                                    ((5, 1), (1, 6), (2, 1, 1))])
def test_equals_numpy(make_spec, shapes):
    found = broadcast_shape(make_spec("Where", bottoms=3), tuple(TensorShape(dims) for dims in shapes))
    assert found.dims == np.broadcast_shapes(*shapes)
