from __future__ import annotations

import pytest

from cortado.errors import FieldError
from cortado.layers.window import LARGEST_EXTENT, window_pair


@pytest.mark.parametrize(("repeated", "height", "width", "expected"), [
    ((), None, None, (1, 1)),
    ((3,), None, None, (3, 3)),
    ((3, 5), None, None, (3, 5)),
    ((), 2, 4, (2, 4)),
    ((LARGEST_EXTENT,), None, None, (LARGEST_EXTENT, LARGEST_EXTENT)),
])
def test_both_spellings(repeated, height, width, expected):
    assert window_pair("stride", repeated, height, width, short="stride", default=1, least=1) == expected


def test_the_value_that_is_wrong_is_named():
    with pytest.raises(FieldError) as caught:
        window_pair("kernel_size", (3, 0), None, None, short="kernel", default=None, least=1)
    assert str(caught.value) == "kernel_size must be from 1 to 1048576, not 0"
    assert (caught.value.field, caught.value.index) == ("kernel_size", 1)
