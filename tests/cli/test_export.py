"""`cortado export`: what it writes is read as the same network, computing the same."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from jsonschema import Draft202012Validator

from cortado.frontends.model import load_model
from cortado.net.net import Net

SCHEMA = Path(__file__).parents[2] / "docs" / "schemas" / "export.schema.json"


def scores(model, x):
    net = Net(model.spec, model.weights)
    with torch.no_grad():
        return net({net.inputs[0]: torch.from_numpy(x)})[net.outputs[-1]].numpy()


@pytest.mark.parametrize("file", ["d.onnx", "d.prototxt"])
def test_the_same_network_to_the_bit(cortado, tmp_path, file, rng):
    ended = cortado("export", "digits", "-o", file)
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.splitlines()[0] == f"digits written to {'d.prototxt, d.caffemodel' if file != 'd.onnx' else file}"
    assert ended.out.splitlines()[-1] == "17,658 values of trained weights"
    before, after = load_model("digits"), load_model(tmp_path / file)
    x = rng.standard_normal((5, 1, 8, 8)).astype(np.float32)
    np.testing.assert_array_equal(scores(after, x), scores(before, x))
    assert after.weights.keys() == before.weights.keys()
    for name, blobs in before.weights.items():
        for blob, other in zip(blobs, after.weights[name], strict=True):
            np.testing.assert_array_equal(other, blob)


def test_there_and_back_again(cortado, tmp_path, rng):
    """From prototxt to ONNX to prototxt."""
    assert cortado("export", "lenet", "--seed", "3", "-o", "a.onnx").code == 0
    assert cortado("export", "a.onnx", "-o", "b.prototxt").code == 0
    x = rng.standard_normal((2, 1, 28, 28)).astype(np.float32)
    np.testing.assert_array_equal(scores(load_model(tmp_path / "b.prototxt"), x),
                                  scores(load_model(tmp_path / "a.onnx"), x))


def test_json(cortado):
    ended = cortado("export", "lenet", "--seed", "3", "-o", "a.onnx", "--json")
    Draft202012Validator(json.loads(SCHEMA.read_text(encoding="utf-8"))).validate(ended.json)
    assert (ended.json["files"], ended.json["seed"], ended.json["network"]) == (["a.onnx"], 3, "LeNet")


def test_files_that_are_there_are_spared_unless_forced(cortado, tmp_path):
    (tmp_path / "d.caffemodel").write_text("mine")
    ended = cortado("export", "digits", "-o", "d.prototxt")
    assert (ended.code, ended.err) == (
        1, "error: d.caffemodel: the file must not be there already; --force replaces it\n")
    assert os.listdir(tmp_path) == ["d.caffemodel"]
    assert cortado("export", "digits", "-o", "d.prototxt", "--force").code == 0
    assert sorted(os.listdir(tmp_path)) == ["d.caffemodel", "d.prototxt"]


def test_a_file_that_is_neither(cortado):
    ended = cortado("export", "digits", "-o", "d.h5")
    assert ended.code == 2
    assert "'d.h5' must end in .onnx or .prototxt, which says what is written" in ended.err


def test_a_folder_that_is_not_there(cortado):
    ended = cortado("export", "digits", "-o", "no/d.onnx")
    assert (ended.code, ended.err) == (1, "error: no/d.onnx: the file cannot be written: No such file or directory\n")


def test_a_layer_that_onnx_has_no_word_for(cortado, tmp_path):
    (tmp_path / "net.prototxt").write_text(
        'layer { name: "x" type: "Input" top: "x" input_param { shape { dim: 1 dim: 3 dim: 8 dim: 8 } } } '
        'layer { name: "n" type: "LRN" bottom: "x" top: "y" lrn_param { norm_region: WITHIN_CHANNEL } }')
    ended = cortado("export", "net.prototxt", "-o", "net.onnx")
    assert (ended.code, ended.err) == (
        1, "error: net.prototxt:1:104: layer 'n': LRN within a channel is not written: ONNX has none\n")
    assert sorted(os.listdir(tmp_path)) == ["net.prototxt"]
