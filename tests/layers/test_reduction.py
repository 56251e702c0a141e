from __future__ import annotations

import numpy as np
import pytest
import torch

from cortado.layers.reduction import ReductionOperation

NAIVE = {
    ReductionOperation.SUM: lambda values: sum(values),
    ReductionOperation.ASUM: lambda values: sum(abs(v) for v in values),
    ReductionOperation.SUMSQ: lambda values: sum(v * v for v in values),
    ReductionOperation.MEAN: lambda values: sum(values) / len(values),
}


@pytest.mark.parametrize("operation", ReductionOperation)
@pytest.mark.parametrize(("axis", "dims"), [(0, ()), (1, (2,)), (2, (2, 3)), (-1, (2, 3))])
def test_equals_a_loop(make_spec, make_layer, top_dims, rng, operation, axis, dims):
    spec = make_spec("Reduction", operation=operation, axis=axis, coeff=0.5)
    x = rng.standard_normal((2, 3, 4))
    y, = make_layer(spec, (2, 3, 4))(torch.from_numpy(x))
    rows = x.reshape(*dims, -1)
    expected = np.array([0.5 * NAIVE[operation](rows[index].tolist()) for index in np.ndindex(dims)]).reshape(dims)
    np.testing.assert_allclose(y.numpy(), expected, rtol=1e-12)
    assert top_dims(spec, (2, 3, 4)) == [dims]


@pytest.mark.parametrize("operation", ReductionOperation)
def test_gradient(make_spec, make_layer, gradients_are_right, rng, operation):
    layer = make_layer(make_spec("Reduction", operation=operation, axis=1, coeff=-2.0), (3, 4))
    assert gradients_are_right(layer, rng.standard_normal((3, 4)))
