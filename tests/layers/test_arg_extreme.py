from __future__ import annotations

import numpy as np
import pytest
import torch


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("largest", [True, False])
@pytest.mark.parametrize("last", [True, False])
@pytest.mark.parametrize("keep_dims", [True, False])
def test_equals_numpy(make_spec, make_layer, top_dims, rng, axis, largest, last, keep_dims):
    """Of a few numbers many are equal."""
    x = rng.integers(0, 3, (4, 5, 6)).astype(np.float32)
    spec = make_spec("ArgExtreme", axis=axis, largest=largest, last=last, keep_dims=keep_dims)
    found = make_layer(spec, x.shape)(torch.from_numpy(x))[0].numpy()
    search = np.argmax if largest else np.argmin
    expected = search(np.flip(x, axis) if last else x, axis=axis, keepdims=keep_dims)
    np.testing.assert_array_equal(found, x.shape[axis] - 1 - expected if last else expected)
    assert found.dtype == np.int64
    assert top_dims(spec, x.shape) == [found.shape]
