"""The ten networks: sizes against published figures, shapes against Caffe's own files where there are some."""

from __future__ import annotations

import re

import pytest

from cortado.engines.engine import engine_types
from cortado.frontends.metadata import ChannelOrder
from cortado.frontends.model import known_models, load_model
from cortado.frontends.prototxt import read_prototxt
from cortado.graph.shape import TensorShape
from cortado.net.shape_inference import count_macs, infer_shapes
from cortado.net.weights import expected_blobs
from cortado.planner.partition import partition
from cortado.resources import models_root

IMAGENET = ("alexnet", "caffenet", "vgg_a", "vgg16", "googlenet", "overfeat", "nin", "squeezenet")
NETWORKS = (*IMAGENET, "lenet", "cifar10_quick")

# Side of the input, multiply-accumulates in millions and trained values in millions, for one picture.
# alexnet, caffenet: albanie/convnet-burden (727 and 724 MFLOPs, 233 MB). vgg16, vgg_a: Simonyan & Zisserman 2015, table
# 2 (138 M and 133 M); 15.5 G and 7.6 G in convnet-burden and torchvision. googlenet: Szegedy et al. 2015, table 1, adds
# up to 1.58 G without normalisation; 51 MB there are with auxiliary classifiers, 7.0 M values are those of the main
# branch. overfeat: Sermanet et al. 2014, table 4: 2810 M connections, 145 M parameters. nin: 1.1 G and 29 MB in the
# authors' model zoo entry. squeezenet: Iandola et al. 2016: 4.8 MB, 0.86 G at 227 x 227.
PUBLISHED = {
    "alexnet": (227, 720, 61),
    "caffenet": (227, 724, 61),
    "vgg_a": (224, 7600, 133),
    "vgg16": (224, 15500, 138),
    "googlenet": (224, 1580, 7.0),
    "overfeat": (231, 2810, 145),
    "nin": (224, 1100, 7.6),
    "squeezenet": (227, 860, 1.25),
}

# Caffe's own files of the same networks.
CAFFE_FILES = {
    "alexnet": "models/bvlc_alexnet/deploy.prototxt",
    "caffenet": "models/bvlc_reference_caffenet/deploy.prototxt",
    "googlenet": "models/bvlc_googlenet/deploy.prototxt",
    "lenet": "examples/mnist/lenet.prototxt",
    "cifar10_quick": "examples/cifar10/cifar10_quick.prototxt",
}


def test_all_are_known():
    assert set(NETWORKS) <= set(known_models())


@pytest.mark.parametrize("name", IMAGENET)
def test_sizes_are_the_published_ones(name):
    side, mega_macs, mega_values = PUBLISHED[name]
    net = load_model(name).spec
    shapes = infer_shapes(net)
    assert shapes["data"] == TensorShape((1, 3, side, side))
    assert shapes["prob"].count == 1000
    assert sum(count_macs(net, shapes).values()) == pytest.approx(mega_macs * 1e6, rel=0.01)
    values = sum(blob.count for blobs in expected_blobs(net).values() for blob in blobs)
    assert values == pytest.approx(mega_values * 1e6, rel=0.02)


@pytest.mark.parametrize("name", CAFFE_FILES)
def test_shapes_are_those_of_caffes_file(name, real_files):
    ours = load_model(name).spec
    theirs = read_prototxt(real_files / "prototxt_corpus" / "bvlc_caffe" / CAFFE_FILES[name])
    shapes = infer_shapes(ours, batch=1)
    assert shapes == infer_shapes(theirs, batch=1)
    assert count_macs(ours, shapes) == count_macs(theirs, shapes)
    assert expected_blobs(ours) == expected_blobs(theirs)
    # As for the numbers shapes do not show, every layer has those of Caffe's file, but for how it would be trained.
    for layer in ours.layers:
        twin = theirs.layer(layer.name)
        assert (layer.type, layer.bottoms, layer.tops) == (twin.type, twin.bottoms, twin.tops)
        if layer.type in ("LRN", "Pooling", "Dropout", "ReLU"):
            assert layer.parameters == twin.parameters


def test_squeezenet_is_its_authors_network(real_files):
    ours = load_model("squeezenet").spec
    theirs = read_prototxt(real_files / "squeezenet" / "deploy.prototxt")
    shapes = infer_shapes(ours)
    assert {name: shape for name, shape in shapes.items() if name != "prob"} == infer_shapes(theirs)
    assert expected_blobs(ours) == expected_blobs(theirs)


@pytest.mark.parametrize("name", NETWORKS)
def test_the_file_opens_with_what_it_is(name):
    lines = (models_root() / name / f"{name}.prototxt").read_text(encoding="utf-8").splitlines()
    comment = " ".join(line[2:] for line in lines if line.startswith("# "))
    shape = "x".join(str(dim) for dim in infer_shapes(load_model(name).spec)["data"].dims)
    assert re.search(r"Source: .+\d{4}|Source: A\. Krizhevsky's cuda-convnet", comment)
    assert f"Input: {shape}" in comment
    assert lines.index(next(line for line in lines if line.startswith("name:"))) == comment_length(lines)


def comment_length(lines: list[str]) -> int:
    return next(index for index, line in enumerate(lines) if not line.startswith("#"))


@pytest.mark.parametrize("name", IMAGENET)
def test_pictures_are_prepared_as_in_caffe(name):
    metadata = load_model(name).metadata
    side = PUBLISHED[name][0]
    assert (metadata.picture.resize, metadata.picture.crop) == ((256, 256), (side, side))
    assert metadata.picture.channel_order is ChannelOrder.BGR
    assert metadata.picture.mean == pytest.approx((104, 117, 123), abs=0.7)
    assert {**metadata.engine, "m": 4, "pc": 4, "pk": 4} == metadata.engine
    assert metadata.labels_data == "imagenet-labels"


# Their convolutions of 3x3 and stride 1, by the tables of the papers; those of AlexNet's conv4 and conv5 have groups.
@pytest.mark.parametrize(("name", "count"), [
    ("vgg_a", 8), ("vgg16", 13), ("googlenet", 10), ("overfeat", 3), ("nin", 2), ("squeezenet", 8), ("lenet", 0),
    ("cifar10_quick", 0), ("alexnet", 3), ("caffenet", 3)])
def test_its_convolutions_go_to_the_fpga(name, count):
    model = load_model(name)
    net = model.spec
    cut = partition(net, infer_shapes(net), engine_types["winograd"].from_fields(dict(model.metadata.engine)))
    square = [layer for layer in cut.fpga_layers if net.layer(layer).parameters.kernel == (3, 3)]
    assert len(square) == count
    # And so does every other convolution.
    assert list(cut.fpga_layers) == [layer.name for layer in net.layers if layer.type == "Convolution"]
