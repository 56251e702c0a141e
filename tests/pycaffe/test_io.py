"""`caffe.io` against scikit-image and SciPy, which pycaffe works with, and against its formulas written out."""

from __future__ import annotations

import re

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import zoom
from skimage import color, data
from skimage.transform import resize

import cortado.pycaffe as caffe
from cortado.errors import PictureError
from cortado.messages.blob import encoded_blob, read_blob_file
from cortado.messages.datum import encode_datum

CAT = data.chelsea()


@pytest.fixture
def picture(tmp_path):
    """Writes pixels as a file and gives its path."""

    def write(pixels, name="picture.png"):
        Image.fromarray(pixels).save(tmp_path / name)
        return tmp_path / name

    return write


def test_pictures_in_colour_and_in_grey(picture):
    path = picture(CAT)
    loaded = caffe.io.load_image(str(path))
    assert loaded.dtype == np.float32
    np.testing.assert_allclose(loaded, CAT / 255, atol=1e-7)
    np.testing.assert_allclose(caffe.io.load_image(path, color=False)[:, :, 0], color.rgb2gray(CAT), atol=1e-6)
    gray = picture(CAT[:, :, 0], "gray.png")
    assert caffe.io.load_image(gray).shape == CAT.shape
    np.testing.assert_allclose(caffe.io.load_image(gray, False)[:, :, 0], CAT[:, :, 0] / 255, atol=1e-7)
    seen = np.dstack([CAT, np.full(CAT.shape[:2], 7, np.uint8)])
    np.testing.assert_allclose(caffe.io.load_image(picture(seen, "rgba.png")), CAT / 255, atol=1e-7)


def test_what_is_no_picture(tmp_path):
    (tmp_path / "a.png").write_text("text")
    with pytest.raises(PictureError, match=r"^'.*a.png': it must be a picture that can be read: "):
        caffe.io.load_image(tmp_path / "a.png")
    with pytest.raises(PictureError, match=r"^'none.png': it must be a picture that can be read: "):
        caffe.io.load_image("none.png")


@pytest.mark.parametrize("dims", [(227, 227), (50, 90), (400, 600)])
def test_resized_as_by_scikit_image(dims):
    image = (CAT / 255).astype(np.float32)
    np.testing.assert_allclose(caffe.io.resize_image(image, dims),
                               resize(image, dims, order=1, mode="edge", anti_aliasing=False), atol=1e-4)


def test_other_numbers_of_channels_are_resized_as_by_scipy(rng):
    image = rng.random((8, 9, 5)).astype(np.float32)
    np.testing.assert_allclose(caffe.io.resize_image(image, (12, 6)), zoom(image, (12 / 8, 6 / 9, 1), order=1),
                               atol=1e-5)
    assert caffe.io.resize_image(image, (8, 9), interp_order=0).tolist() == image.tolist()
    with pytest.raises(ValueError, match=r"^interp_order must be 0 \(nearest\) or 1 \(linear\), not 3$"):
        caffe.io.resize_image(image, (8, 9), interp_order=3)


def test_ten_crops(rng):
    images = rng.random((2, 7, 6, 3)).astype(np.float32)
    crops = caffe.io.oversample(images, (4, 3))
    assert crops.shape == (20, 4, 3, 3)
    places = [(0, 0), (0, 3), (3, 0), (3, 3), (1, 1)]
    for index, (row, column) in enumerate(places):
        expected = images[1, row:row + 4, column:column + 3]
        np.testing.assert_array_equal(crops[10 + index], expected)
        np.testing.assert_array_equal(crops[15 + index], expected[:, ::-1])


@pytest.fixture
def transformer():
    """As the classification example of Caffe sets it."""
    made = caffe.io.Transformer({"data": (10, 3, 227, 227)})
    made.set_transpose("data", (2, 0, 1))
    made.set_mean("data", np.array([104.0, 117.0, 123.0]))
    made.set_raw_scale("data", 255)
    made.set_channel_swap("data", (2, 1, 0))
    made.set_input_scale("data", 0.5)
    return made


def test_from_a_picture_to_an_input_and_back(transformer):
    image = caffe.io.resize_image((CAT / 255).astype(np.float32), (227, 227))
    made = transformer.preprocess("data", image)
    for plane, (channel, mean) in enumerate(zip((2, 1, 0), (104, 117, 123), strict=True)):
        np.testing.assert_allclose(made[plane], (image[:, :, channel] * 255 - mean) * 0.5, atol=1e-4)
    np.testing.assert_allclose(transformer.deprocess("data", made[None]), image, atol=1e-6)
    other_size = transformer.preprocess("data", (CAT / 255).astype(np.float32))
    np.testing.assert_allclose(other_size, made, atol=1e-3)


def test_a_mean_picture_of_another_size(transformer):
    mean = np.moveaxis(CAT[:256, :256].astype(np.float64), 2, 0)
    transformer.set_mean("data", mean)
    expected = np.moveaxis(resize(CAT[:256, :256] / 255, (227, 227), order=1, mode="edge", anti_aliasing=False), 2, 0)
    np.testing.assert_allclose(transformer.mean["data"], 255 * expected, atol=0.05)


@pytest.mark.parametrize(("call", "message"), [
    (lambda t: t.set_raw_scale("label", 1), "'label' must be one of the inputs data"),
    (lambda t: t.set_transpose("data", (1, 0)), "a transpose of input 'data' must have 3 dimensions, not 2"),
    (lambda t: t.set_channel_swap("data", (1, 0)), "a channel swap of input 'data' must have 3 channels, not 2"),
    (lambda t: t.set_mean("data", np.zeros(2)), "a mean of input 'data' must have 3 channels, not 2"),
    (lambda t: t.set_mean("data", np.zeros((2, 5, 5))),
     "a mean of input 'data' must be a picture (K, H, W) of 3 channels, not of shape 2x5x5"),
])
def test_what_does_not_fit(transformer, call, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        call(transformer)


def test_blobs_as_messages(tmp_path, rng):
    """What protobuf writes is what cortado's own reader of Caffe's messages reads, and the other way round."""
    array = rng.standard_normal((1, 3, 2, 2)).astype(np.float32)
    path = tmp_path / "mean.binaryproto"
    path.write_bytes(caffe.io.array_to_blobproto(array, diff=2 * array).SerializeToString())
    np.testing.assert_array_equal(read_blob_file(path), array)
    blob = caffe.proto.caffe_pb2.BlobProto()
    blob.ParseFromString(path.read_bytes())
    np.testing.assert_array_equal(caffe.io.blobproto_to_array(blob, return_diff=True), 2 * array)
    blob.ParseFromString(encoded_blob(array))
    np.testing.assert_array_equal(caffe.io.blobproto_to_array(blob), array)
    old = caffe.proto.caffe_pb2.BlobProto(num=1, channels=3, height=2, width=2, data=array.flat)
    np.testing.assert_array_equal(caffe.io.blobproto_to_array(old), array)
    one, two = caffe.io.blobprotovector_str_to_arraylist(caffe.io.arraylist_to_blobprotovector_str([array, array[0]]))
    np.testing.assert_array_equal(one[0], two)


def test_pictures_as_messages():
    planes = np.moveaxis(CAT[:4, :5], 2, 0)
    datum = caffe.io.array_to_datum(planes, 7)
    assert datum.SerializeToString() == encode_datum(planes, 7)
    np.testing.assert_array_equal(caffe.io.datum_to_array(datum), planes)
    floats = caffe.io.array_to_datum(planes / 8)
    assert not floats.HasField("label")
    np.testing.assert_array_equal(caffe.io.datum_to_array(floats), planes / 8)
    with pytest.raises(ValueError, match=r"^an array must be \(C, H, W\) to become a Datum, not of 2 dimensions$"):
        caffe.io.array_to_datum(planes[0])
