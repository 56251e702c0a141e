from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from cortado.errors import FieldError, LayerError
from cortado.layers.data_transform import TransformParameters
from cortado.layers.image_data import ImageDataParameters


@pytest.fixture
def pictures(tmp_path, rng):
    """Three pictures of 5 x 6 pixels, red green blue, and their list with labels 7, 8 and 9."""
    pixels = rng.integers(0, 256, (3, 5, 6, 3)).astype(np.uint8)
    for index, picture in enumerate(pixels):
        Image.fromarray(picture).save(tmp_path / f"{index} of 3.png")
    (tmp_path / "list.txt").write_text("".join(f"{index} of 3.png {index + 7}\n" for index in range(3)))
    return pixels


@pytest.fixture
def spec(make_spec, tmp_path):
    return lambda **fields: make_spec("ImageData", bottoms=0, tops=2, source=str(tmp_path / "list.txt"),
                                      root_folder=f"{tmp_path}/", batch_size=2, **fields)


def test_planes_are_blue_green_red(spec, make_layer, top_dims, pictures):
    layer = make_layer(spec())
    for items in ([0, 1], [2, 0]):
        data, labels = layer()
        np.testing.assert_array_equal(data.numpy(), pictures[items][..., ::-1].transpose(0, 3, 1, 2))
        np.testing.assert_array_equal(labels.numpy(), [item + 7 for item in items])
    assert top_dims(spec()) == [(2, 3, 5, 6), (2,)]


def test_grey(spec, make_layer, pictures):
    data, _ = make_layer(spec(is_color=False))()
    grey = pictures[0] @ [0.299, 0.587, 0.114]
    np.testing.assert_allclose(data[0, 0].numpy(), grey, atol=1)


def test_resized_between_four_pixels(spec, make_layer, top_dims, pictures):
    """OpenCV's bilinear: of each new pixel's centre the four old ones around it, those at the edge kept."""
    data, _ = make_layer(spec(new_height=3, new_width=4))()
    for i, j, channel in np.ndindex(3, 4, 3):
        y, x = np.clip((i + 0.5) * 5 / 3 - 0.5, 0, 4), np.clip((j + 0.5) * 6 / 4 - 0.5, 0, 5)
        top, left = int(y), int(x)
        low, right = min(top + 1, 4), min(left + 1, 5)
        a, b = y - top, x - left
        p = pictures[0, :, :, 2 - channel].astype(float)
        value = ((1 - a) * ((1 - b) * p[top, left] + b * p[top, right])
                 + a * ((1 - b) * p[low, left] + b * p[low, right]))
        assert abs(float(data[0, channel, i, j]) - value) <= 0.51
    assert top_dims(spec(new_height=3, new_width=4)) == [(2, 3, 3, 4), (2,)]


@pytest.mark.parametrize("fields", [{"transform_param": TransformParameters(crop_size=4, scale=0.5)},
                                    {"crop_size": 4, "scale": 0.5}])
def test_both_places_of_the_transformation(spec, make_layer, pictures, fields):
    layer = make_layer(spec(**fields)).eval()
    np.testing.assert_array_equal(layer()[0][0].numpy(),
                                  pictures[0][0:4, 1:5, ::-1].transpose(2, 0, 1).astype(np.float32) / 2)


def test_refusals(spec, make_layer, top_dims, pictures, tmp_path):
    with pytest.raises(FieldError, match=r"^new_height and new_width must be given together$"):
        ImageDataParameters(source="s", new_height=3)
    Image.fromarray(pictures[0][:4]).save(tmp_path / "1 of 3.png")
    with pytest.raises(LayerError, match=r"^layer 'x': the pictures must be of one size: "):
        make_layer(spec())()
    for text, message in [
        ("", f"source '{tmp_path}/list.txt' must name at least one picture"),
        ("a.png", (f"source '{tmp_path}/list.txt' must have a file and a whole number in each line, not 'a.png'")),
        ("a.png 1", f"'{tmp_path}/a.png' must be a picture that can be read: No such file or directory"),
        ("list.txt 1", f"'{tmp_path}/list.txt' must be a picture that can be read: it is no picture: "),
    ]:
        (tmp_path / "list.txt").write_text(text)
        with pytest.raises(LayerError) as caught:
            top_dims(spec())
        assert str(caught.value).startswith(f"layer 'x': {message}")
