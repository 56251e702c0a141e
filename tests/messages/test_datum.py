from __future__ import annotations

import numpy as np
import pytest

from cortado.errors import ModelFileError
from cortado.messages.datum import encode_datum, parse_datum


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_a_picture_comes_back_as_it_was(rng, dtype):
    picture = (100 * rng.uniform(0, 1, (3, 2, 4))).astype(dtype)
    datum = parse_datum(encode_datum(picture, 300), "f")
    assert (datum.label, datum.picture.dtype, datum.encoded) == (300, dtype, b"")
    np.testing.assert_array_equal(datum.picture, picture)


def test_as_caffe_writes_it():
    """Field numbers of `caffe.proto`: channels 1, height 2, width 3, data 4, label 5, float_data 6, encoded 7."""
    pixels = parse_datum(b"\x08\x01\x10\x01\x18\x02\x22\x02\x07\xff\x28\x05", "f")
    assert (pixels.label, pixels.picture.tolist()) == (5, [[[7, 255]]])
    # Floats one by one, as protobuf writes a repeated field that is not packed.
    floats = parse_datum(b"\x08\x01\x10\x01\x18\x01\x35\x00\x00\x80\x3f", "f")
    assert (floats.label, floats.picture.tolist()) == (0, [[[1.0]]])
    assert parse_datum(b"\x22\x03png\x38\x01", "f").encoded == b"png"


def test_as_many_values_as_its_dimensions_say():
    with pytest.raises(ModelFileError) as caught:
        parse_datum(b"\x08\x01\x10\x02\x18\x02\x22\x02\x07\xff", "f")
    assert str(caught.value) == "f: byte 0: a datum of 1x2x2 must have as many values, not 2"
