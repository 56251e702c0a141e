from __future__ import annotations

import hashlib
import json
import struct

import numpy as np
import pytest

from cortado.errors import DataError, ModelFileError
from cortado.frontends import data_store, model
from cortado.frontends.caffemodel import write_caffemodel
from cortado.frontends.data_file import DataFile
from cortado.frontends.model import known_models, load_model
from cortado.registry import Registry

NETWORK = """
name: "inside the file"
input: "x" input_shape { dim: 1 dim: 2 }
layer { name: "ip" type: "InnerProduct" bottom: "x" top: "y" inner_product_param { num_output: 1 } }
layer { name: "loss" type: "ReLU" bottom: "y" top: "z" include { phase: TRAIN } }
"""
BLOBS = (np.array([[1.0, 2.0]], np.float32), np.array([3.0], np.float32))


@pytest.fixture
def folder(tmp_path):
    """A model folder called `tiny` with a network and its weights."""
    folder = tmp_path / "tiny"
    folder.mkdir()
    (folder / "tiny.prototxt").write_text(NETWORK)
    write_caffemodel(folder / "tiny.caffemodel", "tiny", {"ip": ("InnerProduct", BLOBS)})
    return folder


@pytest.mark.parametrize("path", ["tiny", "tiny/tiny.prototxt"])
def test_by_folder_and_by_file(folder, path):
    loaded = load_model(folder.parent / path)
    assert (loaded.name, loaded.folder, loaded.spec.phase, loaded.metadata) == ("tiny", folder, "TEST", None)
    assert [layer.name for layer in loaded.spec.layers] == ["input", "ip"]
    np.testing.assert_array_equal(loaded.weights["ip"][0], BLOBS[0])


def test_a_folder_with_deploy_prototxt(folder):
    (folder / "tiny.prototxt").rename(folder / "deploy.prototxt")
    loaded = load_model(folder)
    assert (loaded.name, loaded.weights) == ("tiny", None)


def test_the_phase_is_asked_for(folder):
    assert [layer.name for layer in load_model(folder, phase="TRAIN").spec.layers] == ["input", "ip", "loss"]


def test_the_working_folder_is_a_model_folder(folder, monkeypatch):
    monkeypatch.chdir(folder)
    assert load_model(".").name == "tiny"


def test_weights_of_another_file(folder, tmp_path):
    write_caffemodel(tmp_path / "other.caffemodel", "tiny", {"ip": ("InnerProduct", (BLOBS[0] * 2, BLOBS[1]))})
    loaded = load_model(folder, weights=tmp_path / "other.caffemodel")
    np.testing.assert_array_equal(loaded.weights["ip"][0], BLOBS[0] * 2)


def write_metadata(folder, sha256):
    (folder / "model.json").write_text(json.dumps(
        {"title": "T", "source": "S", "licence": "L", "weights_sha256": sha256}))


def test_the_checksum_is_held_against_the_weights(folder):
    found = hashlib.sha256((folder / "tiny.caffemodel").read_bytes()).hexdigest()
    write_metadata(folder, found)
    assert load_model(folder).metadata.title == "T"
    write_metadata(folder, "0" * 64)
    with pytest.raises(ModelFileError) as caught:
        load_model(folder)
    assert str(caught.value) == (
        f"{folder}/tiny.caffemodel: sha256 must be {'0' * 64} as model.json says, not {found}: the file was changed, "
        "or model.json is of another one")


@pytest.fixture
def two_models(tmp_path, monkeypatch):
    """cortado comes with the models `alexnet` and `alexnet_small`, and a folder that is no model."""
    for name in ("alexnet", "alexnet_small"):
        (tmp_path / name).mkdir()
        (tmp_path / name / f"{name}.prototxt").write_text(NETWORK)
    (tmp_path / "notes").mkdir()
    monkeypatch.setattr(model, "models_root", lambda: tmp_path)


def test_by_name(two_models):
    assert known_models() == ("alexnet", "alexnet_small")
    assert load_model("alexnet_small").name == "alexnet_small"


@pytest.mark.parametrize(("name", "message"), [
    ("alxnet", ("unknown model 'alxnet'; did you mean 'alexnet' or 'alexnet_small'? (known: alexnet, alexnet_small; "
                "or give the path of a .prototxt or .onnx)")),
    ("resnet50", "unknown model 'resnet50' (known: alexnet, alexnet_small; or give the path of a .prototxt or .onnx)"),
    ("no/net.prototxt", "no/net.prototxt: the file cannot be read: No such file or directory"),
    ("x" * 5000, f"{'x' * 5000}: the file cannot be read: File name too long"),
])
def test_unknown_models(two_models, name, message):
    with pytest.raises(ModelFileError) as caught:
        load_model(name)
    assert str(caught.value) == message


def test_a_folder_without_a_network(two_models, tmp_path):
    with pytest.raises(ModelFileError) as caught:
        load_model(tmp_path / "notes")
    assert str(caught.value) == f"{tmp_path}/notes: a model folder must hold notes.prototxt or deploy.prototxt"


def test_a_file_of_another_kind(two_models, tmp_path):
    (tmp_path / "net.pb").write_text("")
    with pytest.raises(ModelFileError) as caught:
        load_model(tmp_path / "net.pb")
    assert str(caught.value) == (f"{tmp_path}/net.pb: a model must be a .prototxt or .onnx file, a folder with a "
                                 ".prototxt, or a known name (known: alexnet, alexnet_small)")


def test_weights_that_are_not_there(folder, tmp_path):
    with pytest.raises(ModelFileError) as caught:
        load_model(folder, weights=tmp_path / "no.caffemodel")
    assert str(caught.value) == f"{tmp_path}/no.caffemodel: the file cannot be read: No such file or directory"


@pytest.fixture
def data_folder(tmp_path, monkeypatch):
    """A data folder with two known files, `tiny-weights` and `tiny-labels`, neither of them there yet."""
    labels, weights = json.dumps(["cat", "dog"]).encode(), deep_compression_of_nothing()
    known = Registry("data file")
    for name, path, content in (("tiny-weights", "w/tiny.net", weights), ("tiny-labels", "l.json", labels)):
        known.register(name)(DataFile(
            name=name, path=path, url="", sha256=hashlib.sha256(content).hexdigest(), size_bytes=len(content),
            licence="", purpose=""))
    monkeypatch.setattr(data_store, "data_files", known)
    monkeypatch.setenv(data_store.FOLDER_VARIABLE, str(tmp_path / "data"))
    (tmp_path / "data" / "w").mkdir(parents=True)
    return tmp_path / "data"


def deep_compression_of_nothing() -> bytes:
    """A Deep Compression file of NETWORK without stored entries: weights 0, and a bias of 5."""
    return struct.pack("<I", 0) + bytes(4 * 16) + struct.pack("<f", 5)


def write_data_metadata(folder, **entries):
    (folder / "model.json").write_text(json.dumps({"title": "T", "source": "S", "licence": "L", **entries}))


def test_weights_beside_the_network_say_so(folder):
    assert load_model(folder).weights_words == "tiny.caffemodel"


def test_data_files_are_taken_where_they_are_here(folder, data_folder):
    (folder / "tiny.caffemodel").unlink()
    write_data_metadata(folder, weights_data="tiny-weights", labels_data="tiny-labels")
    absent = load_model(folder)
    assert (absent.weights, absent.weights_words) == (None, "cortado data get tiny-weights fetches trained ones")
    assert (absent.labels, absent.labels_words) == (
        (), "cortado data get tiny-labels fetches the names of the classes")

    (data_folder / "w" / "tiny.net").write_bytes(deep_compression_of_nothing())
    (data_folder / "l.json").write_text(json.dumps(["cat", "dog"]))
    present = load_model(folder)
    assert (present.weights_words, present.labels, present.labels_words) == (
        "data file tiny-weights (tiny.net)", ("cat", "dog"), "")
    np.testing.assert_array_equal(present.weights["ip"][0], [[0, 0]])
    np.testing.assert_array_equal(present.weights["ip"][1], [5])

    (data_folder / "w" / "tiny.net").write_bytes(b"damaged")
    with pytest.raises(DataError, match=r"^data file 'tiny-weights' \(.+\): sha256 must be .+; cortado data get "
                                        r"tiny-weights fetches it anew$"):
        load_model(folder)


def test_weights_given_win_over_a_data_file(folder, data_folder):
    write_data_metadata(folder, weights_data="tiny-weights")
    (data_folder / "w" / "tiny.net").write_bytes(deep_compression_of_nothing())
    assert load_model(folder).weights_words == "tiny.caffemodel"
    given = load_model(folder, weights=data_folder / "w" / "tiny.net")
    assert given.weights_words == str(data_folder / "w" / "tiny.net")
    np.testing.assert_array_equal(given.weights["ip"][1], [5])


def test_layers_only_training_has_are_left_out_of_the_weights(folder):
    write_caffemodel(folder / "tiny.caffemodel", "tiny", {
        "loss1/fc": ("InnerProduct", BLOBS), "ip": ("InnerProduct", BLOBS), "other": ("InnerProduct", BLOBS)})
    write_data_metadata(folder, training_layers=["loss1/", "loss2/"])
    loaded = load_model(folder)
    # What nobody expects stays: it is the mark of weights of another network.
    assert list(loaded.weights) == ["ip", "other"]
    assert loaded.weights_words == "tiny.caffemodel; without loss1/fc, which only training uses"


def test_a_mean_file_instead_of_the_mean(folder, tmp_path):
    with pytest.raises(ModelFileError) as caught:
        load_model(folder, mean=tmp_path / "mean.npy")
    assert str(caught.value) == (f"{folder}/tiny.prototxt: model.json beside it must say how pixels become its input "
                                 "(picture) to take a mean file")
    write_data_metadata(folder, picture={"channel_order": "GRAY", "mean": [7], "scale": 2})
    picture = load_model(folder, mean=tmp_path / "mean.npy").metadata.picture
    assert (picture.mean, picture.mean_file, picture.scale) == ((), tmp_path / "mean.npy", 2)
