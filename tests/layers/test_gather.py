from __future__ import annotations

import numpy as np
import pytest
import torch

from cortado.errors import LayerError


@pytest.mark.parametrize(("axis", "places"), [(0, [1, 0, 1]), (-1, [[0, 3], [-1, -4]]), (1, 2)])
def test_equals_numpy(make_spec, make_layer, top_dims, rng, axis, places):
    spec, x, places = make_spec("Gather", bottoms=2, axis=axis), rng.standard_normal((2, 3, 4)), np.array(places)
    found = make_layer(spec, x.shape, places.shape)(torch.from_numpy(x), torch.from_numpy(places))[0].numpy()
    np.testing.assert_array_equal(found, x.take(places, axis))
    assert top_dims(spec, x.shape, places.shape) == [found.shape]


def test_a_place_that_is_not_there(make_spec, make_layer):
    layer = make_layer(make_spec("Gather", bottoms=2), (3,), (1,))
    with pytest.raises(LayerError, match=r"^layer 'x': places must be from -3 to 2 along axis 0 of bottom 'b0'$"):
        layer(torch.zeros(3), torch.tensor([3]))
