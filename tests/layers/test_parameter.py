from __future__ import annotations

import numpy as np

from cortado.layers.input import BlobShape


def test_the_top_is_the_blob(make_spec, make_layer, top_dims, fill, rng):
    spec = make_spec("Parameter", bottoms=0, shape=BlobShape(dim=(2, 3)))
    layer = make_layer(spec)
    value = rng.standard_normal((2, 3))
    fill(layer, value)
    y, = layer()
    np.testing.assert_array_equal(y.detach().numpy(), value)
    assert top_dims(spec) == [(2, 3)]
    (y * 2).sum().backward()
    np.testing.assert_array_equal(layer.blobs[0].grad.numpy(), np.full((2, 3), 2.0))


def test_it_begins_at_zero(make_spec, make_layer, rng):
    spec = make_spec("Parameter", bottoms=0, shape=BlobShape(dim=(2,)))
    layer = make_layer(spec)
    value, = layer.filled_blobs(spec, layer.blob_shapes(spec, ()), rng)
    assert value.tolist() == [0, 0]
