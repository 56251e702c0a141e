from __future__ import annotations

import numpy as np
import pytest
import torch

from cortado.errors import FieldError


@pytest.mark.parametrize(("shape", "dim", "expected"), [((3, 1), (3, 4), (3, 4)), ((3, 1), (2, 1, 6), (2, 3, 6)),
                                                        ((2, 3), (1, 1), (2, 3)), ((), (2,), (2,))])
def test_equals_numpy(make_spec, make_layer, top_dims, rng, shape, dim, expected):
    spec, x = make_spec("Expand", dim=dim), np.array(rng.standard_normal(shape))
    found = make_layer(spec, shape)(torch.from_numpy(x))[0].numpy()
    np.testing.assert_array_equal(found, np.broadcast_to(x, expected))
    assert top_dims(spec, shape) == [expected]


def test_no_axis_may_be_empty(make_spec):
    with pytest.raises(FieldError, match=r"^dim must be at least 1, not 0$"):
        make_spec("Expand", dim=(2, 0))
