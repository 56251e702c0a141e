from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch

from cortado.errors import FieldError, LayerError
from cortado.layers.window_pooling import WindowMethod


def by_loop(x, method, kernel, stride, dilation, begin, end, count, p):
    """Each window by itself."""
    top = np.zeros((*x.shape[:2], *count))
    for place in np.ndindex(top.shape):
        values = []
        for taps in itertools.product(*(range(size) for size in kernel)):
            at = [index * step - before + tap * apart
                  for index, step, before, tap, apart in zip(place[2:], stride, begin, taps, dilation, strict=True)]
            if all(0 <= where < size for where, size in zip(at, x.shape[2:], strict=True)):
                values.append(x[(*place[:2], *at)])
            elif method is WindowMethod.PADDED_AVE and all(
                    -before <= where < size + after
                    for where, size, before, after in zip(at, x.shape[2:], begin, end, strict=True)):
                values.append(0.0)
        top[place] = {WindowMethod.MAX: max, WindowMethod.AVE: lambda all_: sum(all_) / len(all_),
                      WindowMethod.PADDED_AVE: lambda all_: sum(all_) / len(all_),
                      WindowMethod.LP: lambda all_: sum(abs(value)**p for value in all_)**(1 / p)}[method](values)
    return top


CASES = [
    {"kernel": (3,), "stride": (2,), "dilation": (1,), "pad_begin": (1,), "pad_end": (0,), "count": (4,)},
    {"kernel": (2, 3), "stride": (1, 2), "dilation": (2, 1), "pad_begin": (1, 0), "pad_end": (0, 2), "count": (5, 4)},
    {"kernel": (2, 2, 2), "stride": (2, 1, 2), "dilation": (1, 2, 1), "pad_begin": (0, 1, 1), "pad_end": (1, 1, 0),
     "count": (2, 4, 2)},
]


@pytest.mark.parametrize("method", WindowMethod)
@pytest.mark.parametrize("fields", CASES, ids=lambda fields: f"{len(fields['kernel'])}d")
def test_equals_a_loop(make_spec, make_layer, top_dims, gradients_are_right, rng, method, fields):
    x = rng.standard_normal((2, 2, *((8,), (5, 7), (3, 4, 4))[len(fields["kernel"]) - 1]))
    spec = make_spec("WindowPooling", method=method, p=3, **fields)
    layer = make_layer(spec, x.shape)
    expected = by_loop(
        x, method, fields["kernel"], fields["stride"], fields["dilation"], fields["pad_begin"], fields["pad_end"],
        fields["count"], 3)
    np.testing.assert_allclose(layer(torch.from_numpy(x))[0].numpy(), expected, rtol=1e-12)
    assert top_dims(spec, x.shape) == [expected.shape]
    assert gradients_are_right(layer, x)


@pytest.mark.parametrize("column_major", [False, True])
@pytest.mark.parametrize("fields", CASES, ids=lambda fields: f"{len(fields['kernel'])}d")
def test_the_places_of_maxima(make_spec, make_layer, rng, fields, column_major):
    x = rng.standard_normal((2, 2, *((8,), (5, 7), (3, 4, 4))[len(fields["kernel"]) - 1]))
    spec = make_spec("WindowPooling", tops=2, method=WindowMethod.MAX, column_major=column_major, **fields)
    maxima, places = (top.numpy() for top in make_layer(spec, x.shape)(torch.from_numpy(x)))
    for index in np.ndindex(maxima.shape):
        maps, place = divmod(int(places[index]), math.prod(x.shape[2:]))
        at = np.unravel_index(place, x.shape[2:], "F" if column_major else "C")
        assert divmod(maps, x.shape[1]) == index[:2]
        assert x[(*index[:2], *at)] == maxima[index]


def test_whole_numbers(make_spec, make_layer, rng):
    x = rng.integers(0, 255, (1, 1, 4), np.uint8)
    spec = make_spec("WindowPooling", method=WindowMethod.MAX, kernel=(2,), stride=(2,), dilation=(1,), pad_begin=(0,),
                     pad_end=(0,), count=(2,))
    found = make_layer(spec, x.shape)(torch.from_numpy(x))[0].numpy()
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found[0, 0], [max(x[0, 0, :2]), max(x[0, 0, 2:])])


def test_what_does_not_fit(make_spec, top_dims):
    fields = {"kernel": (2,), "stride": (2,), "dilation": (1,), "pad_begin": (0,), "pad_end": (0,), "count": (3,)}
    with pytest.raises(FieldError, match=r"^stride must be from 1 to 1048576, not 0$"):
        make_spec("WindowPooling", method=WindowMethod.MAX, **{**fields, "stride": (0,)})
    with pytest.raises(FieldError, match=r"^kernel must cover at most 262144 values, not 1048576$"):
        make_spec("WindowPooling", method=WindowMethod.MAX, **{**fields, "kernel": (2**20,)})
    with pytest.raises(LayerError, match=r"^layer 'x': the last window along axis 2 must start inside the padded "
                                         r"bottom 'b0': 3 windows of stride 2 over 4$"):
        top_dims(make_spec("WindowPooling", method=WindowMethod.MAX, **fields), (1, 1, 4))
    with pytest.raises(LayerError, match=r"^layer 'x': only a MAX has a second top$"):
        top_dims(make_spec("WindowPooling", tops=2, method=WindowMethod.AVE, **fields), (1, 1, 6))
