from __future__ import annotations

import io

import lmdb
import numpy as np
import plyvel
import pytest
from PIL import Image

from cortado.errors import LayerError
from cortado.layers.data import Backend
from cortado.layers.data_transform import TransformParameters
from cortado.messages.datum import encode_datum
from cortado.messages.wire import length_field, varint_field

PICTURES = np.random.default_rng(3).integers(0, 256, (5, 2, 3, 4)).astype(np.uint8)


def write(path, backend, values):
    """A data base of these values, keys as Caffe's tools write them."""
    rows = [(f"{index:08d}".encode(), value) for index, value in enumerate(values)]
    if backend is Backend.LMDB:
        environment = lmdb.open(str(path))
        with environment.begin(write=True) as transaction:
            for key, value in rows:
                transaction.put(key, value)
        environment.close()
    else:
        base = plyvel.DB(str(path), create_if_missing=True)
        for key, value in rows:
            base.put(key, value)
        base.close()


@pytest.fixture
def make_base(make_spec, tmp_path):
    """Writes a data base and gives the spec of a layer that reads it."""

    def make(backend, values, **fields):
        write(tmp_path / "base", backend, values)
        return make_spec("Data", bottoms=0, tops=2, source=str(tmp_path / "base"), backend=backend, batch_size=2,
                         **fields)

    return make


@pytest.mark.parametrize("backend", Backend)
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_pictures_in_the_order_of_their_keys(make_base, make_layer, top_dims, backend, dtype):
    pictures = PICTURES.astype(dtype) / (1 if dtype is np.uint8 else dtype(7))
    spec = make_base(backend, [encode_datum(picture, label) for label, picture in enumerate(pictures)])
    layer, other = make_layer(spec), make_layer(spec)
    for items in ([0, 1], [2, 3], [4, 0]):
        data, labels = layer()
        np.testing.assert_array_equal(data.numpy(), pictures[items])
        np.testing.assert_array_equal(labels.numpy(), items)
        # A network for testing reads the same base beside it.
        other()
    assert top_dims(spec) == [(2, 2, 3, 4), (2,)]


def test_transformed(make_base, make_layer, top_dims):
    spec = make_base(Backend.LMDB, [encode_datum(picture, 1) for picture in PICTURES],
                     transform_param=TransformParameters(crop_size=2, scale=0.5, mean_value=(3.0,)))
    data, _ = make_layer(spec).eval()()
    np.testing.assert_array_equal(data.numpy(), (PICTURES[:2, :, 0:2, 1:3].astype(np.float32) - 3) / 2)
    assert top_dims(spec) == [(2, 2, 2, 2), (2,)]


@pytest.mark.parametrize(("fields", "channels"), [
    ({}, 3), ({"transform_param": TransformParameters(force_gray=True)}, 1), ({"force_encoded_color": True}, 3)])
def test_encoded_pictures(make_base, make_layer, fields, channels):
    pixels = np.random.default_rng(1).integers(0, 256, (4, 5, 3)).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "png")
    # message Datum: data 4, label 5, encoded 7
    value = length_field(4, file.getvalue()) + varint_field(5, 9) + varint_field(7, 1)
    data, labels = make_layer(make_base(Backend.LMDB, [value, value], **fields))()
    assert data.shape == (2, channels, 4, 5)
    assert labels.tolist() == [9, 9]
    if channels == 3:
        np.testing.assert_array_equal(data[0].numpy(), pixels[..., ::-1].transpose(2, 0, 1))


def test_refusals(make_base, make_spec, make_layer, top_dims, tmp_path):
    absent = make_spec("Data", bottoms=0, source="no/base", batch_size=1)
    with pytest.raises(LayerError) as caught:
        top_dims(absent)
    assert str(caught.value) == ("layer 'x': source 'no/base' must be a data base; there is none here nor in the "
                                 "folders from the model file's upwards")
    with pytest.raises(LayerError) as caught:
        top_dims(make_base(Backend.LMDB, []))
    assert str(caught.value) == f"layer 'x': data base '{tmp_path}/base' must hold at least one picture"
    with pytest.raises(LayerError) as caught:
        top_dims(make_base(Backend.LMDB, [b"\x08"]))
    assert str(caught.value) == (f"layer 'x': data base '{tmp_path}/base' must hold pictures (Datum): {tmp_path}/base: "
                                 "byte 1: a number is cut off: the file is truncated or no datum")
    (tmp_path / "text").write_text("no base")
    wrong = make_spec("Data", bottoms=0, source=str(tmp_path / "text"), batch_size=1, backend=Backend.LMDB)
    with pytest.raises(LayerError, match=rf"^layer 'x': source '{tmp_path}/text' must be a LMDB data base that can be"):
        top_dims(wrong)


@pytest.mark.parametrize(("backend", "package"), [(Backend.LMDB, "lmdb"), (Backend.LEVELDB, "plyvel")])
def test_without_the_package(make_base, top_dims, monkeypatch, tmp_path, backend, package):
    spec = make_base(backend, [encode_datum(PICTURES[0], 0)])
    monkeypatch.setitem(__import__("sys").modules, package, None)
    with pytest.raises(LayerError) as caught:
        top_dims(spec)
    assert str(caught.value) == (f"layer 'x': data base '{tmp_path}/base' needs the package {package}: pip install "
                                 f"{package}")
