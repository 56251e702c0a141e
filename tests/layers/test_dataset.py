from __future__ import annotations

import numpy as np
import pytest

from cortado.datasets.digits import held_out_digits, training_digits
from cortado.errors import FieldError
from cortado.layers.data_transform import TransformParameters
from cortado.layers.dataset import DatasetParameters, Part


@pytest.mark.parametrize(("part", "digits"), [(Part.TRAINING, training_digits), (Part.HELD_OUT, held_out_digits)])
def test_the_next_pictures_and_labels(make_spec, make_layer, top_dims, part, digits):
    spec = make_spec("Dataset", bottoms=0, tops=2, name="digits", part=part, batch_size=5,
                     transform_param=TransformParameters(scale=2.0))
    layer = make_layer(spec)
    pictures, labels = digits()
    for begin in (0, 5):
        data, label = layer()
        np.testing.assert_array_equal(data.numpy(), 2 * pictures[begin:begin + 5])
        np.testing.assert_array_equal(label.numpy(), labels[begin:begin + 5])
    assert top_dims(spec) == [(5, 1, 8, 8), (5,)]


def test_refusals():
    with pytest.raises(FieldError, match=r"^name must be a dataset's: unknown dataset 'digit'; did you mean"):
        DatasetParameters(name="digit", part=Part.TRAINING, batch_size=1)
    with pytest.raises(FieldError, match=r"^batch_size must be at least 1, not 0$"):
        DatasetParameters(name="digits", part=Part.TRAINING, batch_size=0)
