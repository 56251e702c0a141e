from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from cortado.errors import PictureError
from cortado.frontends.metadata import ChannelOrder, PictureInput
from cortado.frontends.picture import load_pictures
from cortado.graph.shape import TensorShape

COLOUR = TensorShape((1, 3, 4, 6))
PLAIN = PictureInput(channel_order=ChannelOrder.RGB, mean=(0,), scale=1)


@pytest.fixture
def pixels(rng):
    """Of a picture of 8x10."""
    return rng.integers(0, 256, (8, 10, 3), np.uint8)


@pytest.fixture
def save(tmp_path):
    def save(values, name="picture.png"):
        Image.fromarray(values).save(tmp_path / name)
        return tmp_path / name

    return save


def one(path, shape, picture) -> np.ndarray:
    values, names = load_pictures(path, shape, picture)
    assert (values.shape, values.dtype, names) == (shape.dims, np.float32, (path.name,))
    return values[0]


@pytest.mark.parametrize(("order", "planes"), [(ChannelOrder.RGB, (0, 1, 2)), (ChannelOrder.BGR, (2, 1, 0))])
def test_centre_crop_order_mean_and_scale(save, pixels, order, planes):
    """Pixel by pixel: the 4x6 in the middle of 8x10 begins at row 2, column 2."""
    mean = (104, 117, 123)
    found = one(save(pixels), COLOUR, PictureInput(channel_order=order, mean=mean, scale=0.5, crop=(4, 6)))
    for channel, plane in enumerate(planes):
        for y in range(4):
            for x in range(6):
                assert found[channel, y, x] == (float(pixels[2 + y, 2 + x, plane]) - mean[channel]) * 0.5


def test_an_odd_margin_is_cut_as_in_caffe(save, pixels):
    """Caffe's offset is the margin divided by 2, rounded down: 8 - 5 = 3 rows leave 1 above."""
    found = one(save(pixels), TensorShape((1, 3, 5, 7)), PictureInput(
        channel_order=ChannelOrder.RGB, mean=(0,), scale=1, crop=(5, 7)))
    np.testing.assert_array_equal(found, pixels[1:6, 1:8].transpose(2, 0, 1))


def test_resize_comes_before_the_crop(save):
    """Two halves, black and white, keep their border in the middle; a resize after the crop would not be 8 wide."""
    pixels = np.zeros((20, 40, 3), np.uint8)
    pixels[:, 20:] = 255
    picture = PictureInput(channel_order=ChannelOrder.RGB, mean=(0,), scale=1, resize=(8, 8), crop=(4, 6))
    found = one(save(pixels), COLOUR, picture)
    assert found.shape == (3, 4, 6)
    np.testing.assert_array_equal(found[:, :, :2], 0)
    np.testing.assert_array_equal(found[:, :, 4:], 255)


def test_without_either_a_picture_is_resized_to_the_input(save):
    assert (one(save(np.full((9, 3, 3), 7, np.uint8)), COLOUR, PLAIN) == 7).all()


def test_gray_serves_colour_and_colour_serves_gray(save):
    found = one(save(np.full((4, 6), 9, np.uint8)), COLOUR, PLAIN)
    assert (found == 9).all()
    gray = PictureInput(channel_order=ChannelOrder.GRAY, mean=(0,), scale=1)
    red = np.zeros((4, 6, 3), np.uint8)
    red[..., 0] = 200
    # ITU-R 601: 0.299 of red.
    assert one(save(red), TensorShape((1, 1, 4, 6)), gray) == pytest.approx(200 * 0.299, abs=1)


def test_what_is_transparent_is_put_on_white(save):
    values = np.zeros((4, 6, 4), np.uint8)
    values[:, 3:, 3] = 255
    found = one(save(values), COLOUR, PLAIN)
    np.testing.assert_array_equal(found[:, :, :3], 255)
    np.testing.assert_array_equal(found[:, :, 3:], 0)


def test_a_mean_picture_is_subtracted_before_the_crop(save, pixels, tmp_path, rng):
    mean = rng.standard_normal((3, 8, 10)).astype(np.float32)
    np.save(tmp_path / "mean.npy", mean)
    picture = PictureInput(channel_order=ChannelOrder.BGR, mean_file=tmp_path / "mean.npy", scale=1, crop=(4, 6))
    whole = pixels[:, :, ::-1].transpose(2, 0, 1).astype(np.float32) - mean
    np.testing.assert_array_equal(one(save(pixels), COLOUR, picture), whole[:, 2:6, 2:8])


def test_a_folder_in_the_order_of_names(save, tmp_path):
    for name, value in (("b.png", 2), ("a.jpg", 1), ("c.PNG", 3)):
        save(np.full((4, 6, 3), value, np.uint8), name=name)
    (tmp_path / "notes.txt").write_text("no picture")
    values, names = load_pictures(tmp_path, COLOUR, PLAIN)
    assert names == ("a.jpg", "b.png", "c.PNG")
    assert values[:, 0, 0, 0].tolist() == [1, 2, 3]


def test_arrays_are_taken_as_they_are(tmp_path, rng):
    values = rng.standard_normal((2, 3, 4, 6)).astype(np.float32)
    np.save(tmp_path / "x.npy", values)
    found, names = load_pictures(tmp_path / "x.npy", COLOUR, None)
    np.testing.assert_array_equal(found, values)
    assert names == ("x.npy[0]", "x.npy[1]")


def refusal(path, shape=COLOUR, picture=PLAIN) -> str:
    with pytest.raises(PictureError) as caught:
        load_pictures(path, shape, picture)
    return str(caught.value)


def test_more_than_8_bits_are_refused(tmp_path):
    path = tmp_path / "deep.png"
    Image.fromarray(np.full((4, 6), 40_000, np.uint16)).save(path)
    assert refusal(path) == (f"'{path}': the picture must have 8 bits a channel, not mode I;16; save it as 8-bit RGB "
                             "or grey")


def test_a_picture_smaller_than_the_crop(save):
    path = save(np.zeros((3, 10, 3), np.uint8))
    assert refusal(path, picture=PictureInput(channel_order=ChannelOrder.RGB, mean=(0,), scale=1, crop=(4, 6))) == (
        f"'{path}': the picture must be at least 4x6 (height x width), the size of the crop, not 3x10")


@pytest.mark.parametrize("size", [{"crop": (5, 6)}, {"resize": (5, 6)}, {"resize": (9, 9), "crop": (5, 6)}])
def test_a_preparation_for_another_network(tmp_path, size):
    picture = PictureInput(channel_order=ChannelOrder.RGB, mean=(0,), scale=1, **size)
    assert refusal(tmp_path / "x.png", picture=picture) == (
        "the network takes pictures of 4x6, its model.json prepares 5x6")


def test_too_many_pixels(save, monkeypatch):
    path = save(np.zeros((20, 20, 3), np.uint8))
    for most in (300, 100):
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", most)
        assert refusal(path) == f"'{path}': a picture must have at most {most} pixels"


def test_what_is_no_picture(tmp_path):
    assert refusal(tmp_path / "none.png") == f"'{tmp_path}/none.png': no such file; give the path of a picture"
    (tmp_path / "text.png").write_text("text")
    assert refusal(tmp_path / "text.png") == (
        f"'{tmp_path}/text.png': it must be a picture (PNG, JPEG, ...), its contents are none")
    (tmp_path / "folder").mkdir()
    assert refusal(tmp_path / "folder") == (
        f"'{tmp_path}/folder': the folder must hold pictures (.png, .jpg, .jpeg, .bmp, .gif, .pgm, .ppm, .tif, .tiff), "
        "it holds none")


def test_a_truncated_picture(save, rng):
    path = save(rng.integers(0, 256, (64, 64, 3), np.uint8))
    path.write_bytes(path.read_bytes()[:4000])
    assert refusal(path).startswith(f"'{path}': the picture cannot be read: ")


def test_networks_that_take_no_such_pictures(tmp_path):
    path = tmp_path / "x.png"
    assert refusal(path, TensorShape((1, 1, 4, 6))) == "the network takes 1 channels, RGB pictures have 3"
    assert refusal(path, TensorShape((1, 3))) == (
        "the network takes 1x3, no pictures (N x channels x height x width); give an .npy file")
    assert refusal(path, picture=None) == (
        f"'{path}': the model must say how pixels become its input (picture in model.json) to take picture files; give "
        "an .npy file instead")


@pytest.mark.parametrize(("values", "words"), [
    (np.zeros((1, 3, 6, 4)), "the array must have shape Nx3x4x6, not 1x3x6x4"),
    (np.zeros((0, 3, 4, 6)), "the array must have shape Nx3x4x6, not 0x3x4x6"),
    (np.array(["a"]), "it must hold one array of numbers of shape Nx3x4x6"),
    (np.full((1, 3, 4, 6), np.inf), "every number must be finite"),
])
def test_wrong_arrays(tmp_path, values, words):
    np.save(tmp_path / "x.npy", values)
    assert refusal(tmp_path / "x.npy") == f"'{tmp_path}/x.npy': {words}"
