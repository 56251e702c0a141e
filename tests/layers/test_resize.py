from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from cortado.errors import FieldError, LayerError
from cortado.layers.resize import CoordinateMode, Interpolation, NearestMode, Resize


@pytest.mark.parametrize(("mode", "interpolation", "align"), [("bilinear", Interpolation.LINEAR, False),
                                                              ("bilinear", Interpolation.LINEAR, True),
                                                              ("bicubic", Interpolation.CUBIC, False),
                                                              ("bicubic", Interpolation.CUBIC, True)])
@pytest.mark.parametrize("size", [(7, 12), (3, 4), (5, 9)])
def test_equals_torch(make_spec, make_layer, top_dims, gradients_are_right, rng, mode, interpolation, align, size):
    x = rng.standard_normal((2, 3, 5, 6))
    spec = make_spec("Resize", axis=(2, 3), size=size, scale=(size[0] / 5, size[1] / 6), interpolation=interpolation,
                     coordinate_mode=CoordinateMode.ALIGN_CORNERS if align else CoordinateMode.HALF_PIXEL)
    layer = make_layer(spec, x.shape)
    expected = functional.interpolate(torch.from_numpy(x), size, mode=mode, align_corners=align)
    torch.testing.assert_close(layer(torch.from_numpy(x))[0], expected)
    assert top_dims(spec, x.shape) == [tuple(expected.shape)]
    assert gradients_are_right(layer, x)


@pytest.mark.parametrize("size", [(3, 4), (2, 3)])
@pytest.mark.parametrize(("mode", "interpolation"), [("bilinear", Interpolation.LINEAR)])
def test_antialias_equals_torch_inside(make_spec, make_layer, rng, size, mode, interpolation):
    """At the borders torch leaves out what is outside."""
    x = rng.standard_normal((1, 1, 24, 24))
    spec = make_spec("Resize", axis=(2, 3), size=size, scale=(size[0] / 24, size[1] / 24), interpolation=interpolation,
                     antialias=True, exclude_outside=True)
    expected = functional.interpolate(torch.from_numpy(x), size, mode=mode, antialias=True)
    torch.testing.assert_close(make_layer(spec, x.shape)(torch.from_numpy(x))[0], expected)


@pytest.mark.parametrize("size", [(10, 12), (3, 4), (7, 5)])
def test_nearest_equals_torch(make_spec, make_layer, rng, size):
    """Of any element type."""
    x = torch.from_numpy(rng.integers(-9, 9, (2, 3, 5, 6)))
    spec = make_spec("Resize", axis=(2, 3), size=size, scale=(size[0] / 5, size[1] / 6),
                     coordinate_mode=CoordinateMode.ASYMMETRIC, nearest_mode=NearestMode.FLOOR)
    expected = functional.interpolate(x.double(), size, mode="nearest").long()
    assert torch.equal(make_layer(spec, x.shape)(x)[0], expected)
    assert Resize.keeps_scale(spec)


def test_outside_the_region_is_the_value_given(make_spec, make_layer):
    spec = make_spec("Resize", axis=(0,), size=(3,), scale=(1.0,), roi_start=(0.0,), roi_end=(2.0,),
                     interpolation=Interpolation.LINEAR, coordinate_mode=CoordinateMode.TF_CROP_AND_RESIZE,
                     extrapolation_value=9.0)
    assert make_layer(spec, (3,))(torch.tensor([1.0, 2.0, 4.0]))[0].tolist() == [1.0, 4.0, 9.0]


def test_what_does_not_fit(make_spec, top_dims):
    with pytest.raises(FieldError, match=r"^scale must be from 1/4096 to 4096, not 0$"):
        make_spec("Resize", axis=(0,), size=(1,), scale=(0.0,))
    with pytest.raises(FieldError, match=r"^roi_start must have one value for each of 1 axes, not 0$"):
        make_spec("Resize", axis=(0,), size=(1,), scale=(1.0,), coordinate_mode=CoordinateMode.TF_CROP_AND_RESIZE)
    with pytest.raises(LayerError, match=r"^layer 'x': axis must be below the 1 of bottom 'b0', not 1$"):
        top_dims(make_spec("Resize", axis=(1,), size=(2,), scale=(2.0,)), (3,))
