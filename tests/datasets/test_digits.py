from __future__ import annotations

import numpy as np
from sklearn.datasets import load_digits

from cortado.datasets.digits import held_out_digits, training_digits


def test_every_picture_is_on_one_side():
    held_out, training = held_out_digits(), training_digits()
    assert [part.shape for part in (*held_out, *training)] == [(360, 1, 8, 8), (360,), (1437, 1, 8, 8), (1437,)]
    bunch = load_digits()
    held_out_rows = [index for index in range(1797) if index % 5 == 0]
    training_rows = [index for index in range(1797) if index % 5 != 0]
    for (pictures, labels), rows in ((held_out, held_out_rows), (training, training_rows)):
        np.testing.assert_array_equal(pictures[:, 0] * 16, bunch.images[rows])
        np.testing.assert_array_equal(labels, bunch.target[rows])


def test_range_and_types():
    pictures, labels = held_out_digits()
    assert (pictures.dtype, labels.dtype) == (np.float32, np.int64)
    assert (pictures.min(), pictures.max()) == (0, 1)
    assert set(labels.tolist()) == set(range(10))
