from __future__ import annotations

import pytest

from cortado.errors import GraphError
from cortado.graph.shape import TensorShape


def test_a_picture_blob():
    shape = TensorShape((2, 3, 4, 5))
    assert str(shape) == "2x3x4x5"
    assert shape.count == 120
    assert shape.rank == 4
    assert shape.with_batch(7) == TensorShape((7, 3, 4, 5))


def test_a_scalar():
    assert str(TensorShape(())) == "scalar"
    assert TensorShape(()).count == 1


@pytest.mark.parametrize(("dims", "message"), [
    ((1, 0), "shape 1x0: every dimension must be a whole number of at least 1, not 0"),
    ((1, -3), "shape 1x-3: every dimension must be a whole number of at least 1, not -3"),
    ((1, True), "shape 1xTrue: every dimension must be a whole number of at least 1, not True"),
    ((1, 2.0), "shape 1x2.0: every dimension must be a whole number of at least 1, not 2.0"),
    ((2**16, 2**15), "shape 65536x32768: at most 2147483647 elements, not 2147483648"),
])
def test_bad_dimensions(dims, message):
    with pytest.raises(GraphError) as caught:
        TensorShape(dims)
    assert str(caught.value) == message


def test_the_largest():
    assert TensorShape((2**31 - 1,)).count == 2147483647
