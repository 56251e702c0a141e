"""Arrays as messages: float32 unless doubles are asked for, both ways."""

from __future__ import annotations

import numpy as np
import pytest

from cortado.messages.blob import encoded_blob, read_blob
from cortado.messages.wire import WireReader, length_field


def read_again(data: bytes, **options) -> np.ndarray:
    reader = WireReader(length_field(1, data), "f", "binaryproto")
    return read_blob(reader, next(reader.whole_file()), "the blob", **options)


@pytest.mark.parametrize(("written", "kept", "dtype"), [(False, False, np.float32), (False, True, np.float32),
                                                        (True, False, np.float32), (True, True, np.float64)])
def test_doubles_are_kept_where_both_sides_ask(rng, written, kept, dtype):
    values = rng.standard_normal((2, 3))
    found = read_again(encoded_blob(values, keep_double=written), keep_double=kept)
    assert found.dtype == dtype
    np.testing.assert_array_equal(found, values.astype(dtype))


def test_what_is_float32_stays_so(rng):
    values = rng.standard_normal(5).astype(np.float32)
    assert encoded_blob(values, keep_double=True) == encoded_blob(values)
