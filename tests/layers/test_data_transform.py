from __future__ import annotations

import numpy as np
import pytest
import torch

from cortado.errors import FieldError, LayerError
from cortado.layers.data_transform import Transformer, TransformParameters
from cortado.messages.blob import encoded_blob


@pytest.fixture
def picture(rng):
    return rng.integers(0, 256, (3, 6, 7)).astype(np.uint8)


@pytest.fixture
def transformer(make_spec):
    return lambda **fields: Transformer(make_spec("ReLU"), TransformParameters(**fields))


def test_mean_then_scale(transformer, picture):
    y = transformer(mean_value=(10.0, 20.0, 30.0), scale=0.5)(picture, training=True)
    for channel, mean in enumerate((10, 20, 30)):
        np.testing.assert_array_equal(y[channel].numpy(), (picture[channel].astype(np.float32) - mean) * 0.5)
    one = transformer(mean_value=(7.0,))(picture, training=False)
    np.testing.assert_array_equal(one.numpy(), picture.astype(np.float32) - 7)


def test_a_mean_picture_is_taken_off_before_the_crop(transformer, picture, rng, tmp_path):
    mean = rng.standard_normal((1, 3, 6, 7)).astype(np.float32)
    (tmp_path / "mean.binaryproto").write_bytes(encoded_blob(mean))
    y = transformer(mean_file=str(tmp_path / "mean.binaryproto"), crop_size=4)(picture, training=False)
    np.testing.assert_array_equal(y.numpy(), (picture - mean[0])[:, 1:5, 1:5])
    with pytest.raises(ValueError, match=r"the mean picture must be of \(3, 5, 7\), not \(3, 6, 7\)"):
        transformer(mean_file=str(tmp_path / "mean.binaryproto"))(picture[:, 1:], training=False)


def test_crops_lie_anywhere_in_training(transformer, picture):
    torch.manual_seed(0)
    crop = transformer(crop_size=4)
    seen = set()
    for _ in range(200):
        y = crop(picture, training=True).numpy()
        seen.update((i, j) for i in range(3) for j in range(4) if np.array_equal(y, picture[:, i:i + 4, j:j + 4]))
    assert seen == {(i, j) for i in range(3) for j in range(4)}


@pytest.mark.parametrize("training", [True, False])
def test_mirrors_about_half(transformer, picture, training):
    """In testing too, as Caffe's."""
    torch.manual_seed(0)
    mirror = transformer(mirror=True)
    flips = 0
    for _ in range(100):
        y = mirror(picture, training=training).numpy()
        flipped = np.array_equal(y, picture[:, :, ::-1])
        assert flipped or np.array_equal(y, picture)
        flips += flipped
    assert 30 < flips < 70


@pytest.mark.parametrize(("fields", "message"), [
    ({"crop_size": -1}, "crop_size must be at least 0, not -1"),
    ({"mean_file": "m", "mean_value": (1.0,)}, "mean_value must not be given beside mean_file"),
    ({"force_color": True, "force_gray": True}, "force_gray must not be given beside force_color"),
])
def test_bad_fields(fields, message):
    with pytest.raises(FieldError) as caught:
        TransformParameters(**fields)
    assert str(caught.value) == message


@pytest.mark.parametrize(("fields", "message"), [
    ({"mean_value": (1.0, 2.0)}, "mean_value must have one value, or one for each of 3 channels, not 2"),
    ({"crop_size": 7}, "crop_size must be at most the picture's 6x7, not 7"),
])
def test_what_does_not_fit_the_picture(make_spec, fields, message):
    with pytest.raises(LayerError) as caught:
        TransformParameters(**fields).shape(make_spec("ReLU"), (3, 6, 7))
    assert str(caught.value) == f"layer 'x': {message}"
