from __future__ import annotations

import numpy as np
import pytest

from cortado.errors import LayerError

FIELDS = {"batch_size": 2, "channels": 3, "height": 4, "width": 5}


def test_rows_of_the_arrays(make_spec, make_layer, top_dims, rng):
    spec = make_spec("MemoryData", bottoms=0, tops=2, **FIELDS)
    layer = make_layer(spec)
    pictures, labels = rng.standard_normal((4, 3, 4, 5)), np.arange(4)
    layer.set_arrays(pictures, labels)
    for begin in (0, 2, 0):
        data, label = layer()
        np.testing.assert_allclose(data.numpy(), pictures[begin:begin + 2], rtol=1e-6)
        np.testing.assert_array_equal(label.numpy(), labels[begin:begin + 2])
    assert top_dims(spec) == [(2, 3, 4, 5), (2,)]


def test_refusals(make_spec, make_layer):
    layer = make_layer(make_spec("MemoryData", bottoms=0, tops=2, **FIELDS))
    with pytest.raises(LayerError) as caught:
        layer()
    assert str(caught.value) == ("layer 'x': it must be given arrays before it runs (set_arrays; in pycaffe "
                                 "set_input_arrays)")
    with pytest.raises(LayerError) as caught:
        layer.set_arrays(np.zeros((3, 3, 4, 5)), np.zeros(3))
    assert str(caught.value) == ("layer 'x': the pictures must be whole batches of 2, each picture 3x4x5, not 3x3x4x5")
    with pytest.raises(LayerError) as caught:
        layer.set_arrays(np.zeros((2, 3, 4, 5)), np.zeros(3))
    assert str(caught.value) == "layer 'x': there must be one label for each of 2 pictures, not 3"
