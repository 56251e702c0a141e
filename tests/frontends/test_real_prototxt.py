"""Every prototxt of BVLC/caffe, as it is: read, or refused in one line that says where and why."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from cortado.errors import CortadoError
from cortado.frontends.prototxt import parse_prototxt, read_prototxt
from cortado.frontends.textformat import parse_text
from cortado.net.shape_inference import count_macs, infer_shapes


@pytest.fixture
def corpus(real_files):
    """All 54 files."""
    files = sorted((real_files / "prototxt_corpus").rglob("*.prototxt"))
    assert len(files) == 54
    return files


def test_every_file_is_text_format(corpus):
    for path in corpus:
        assert parse_text(path.read_text(), str(path)).fields


# Words of a refusal, and how many of the 54 files get it in each phase.
REFUSALS = {
    "solver": r"network: '\w+' belongs to a solver file; .+",
    "Data": r"layer '\w+': layer type 'Data' reads data of its own and is not supported yet; .+",
    "HDF5Data": r"layer '\w+': layer type 'HDF5Data' reads data of its own and is not supported yet; .+",
    "ImageData": r"layer '\w+': layer type 'ImageData' reads data of its own and is not supported yet; .+",
    "WindowData": r"layer '\w+': layer type 'WindowData' reads data of its own and is not supported yet; .+",
    "DummyData": r"layer '\w+': layer type 'DummyData' reads data of its own and is not supported yet; .+",
    "names": r"layer 'loss': layer names must be unique, 2 layers of network 'MNISTAutoencoder' have this one",
}
COUNTS = {
    "TEST": {"read": 11, "solver": 25, "Data": 9, "HDF5Data": 4, "ImageData": 2, "WindowData": 1, "DummyData": 1,
             "names": 1},
    "TRAIN": {"read": 11, "solver": 25, "Data": 10, "HDF5Data": 4, "ImageData": 2, "WindowData": 1, "DummyData": 1},
}


def outcome(read, path):
    """What became of a file: "read", with shapes, or the kind of its refusal."""
    try:
        infer_shapes(read())
    except CortadoError as error:
        place, _, message = str(error).partition(": ")
        assert re.fullmatch(re.escape(str(path)) + r":\d+:\d+", place), error  # noqa: PT017
        kinds = [kind for kind, words in REFUSALS.items() if re.fullmatch(words, message)]
        assert len(kinds) == 1, error  # noqa: PT017
        return kinds[0]
    return "read"


@pytest.mark.parametrize("phase", COUNTS)
def test_every_file_is_read_or_refused_in_one_line(corpus, phase):
    outcomes = Counter(outcome(lambda path=path: read_prototxt(path, phase=phase), path) for path in corpus)
    assert outcomes == COUNTS[phase]


# What the data layers of the files in a folder make, beside labels.
PICTURES = {"cifar10": (3, 32, 32), "mnist": (1, 28, 28), "siamese": (2, 28, 28), "hdf5_classification": (4,),
            "bvlc_googlenet": (3, 224, 224)}
IMAGENET = (3, 227, 227)
DATA_LAYER = re.compile(r'type: "(?:Data|HDF5Data|ImageData|WindowData)"')


def layers_of(text):
    """The file cut into its outermost layers, each with what stands before it."""
    depth, begin = 0, 0
    for place, character in enumerate(text):
        depth += {"{": 1, "}": -1}.get(character, 0)
        if character == "}" and depth == 0:
            yield text[begin:place + 1]
            begin = place + 1
    yield text[begin:]


def with_inputs(text, picture):
    """The file with Input layers in the place of its data layers: pictures, then one label each."""
    parts = []
    for layer in layers_of(text):
        if DATA_LAYER.search(layer):
            before, body = re.split(r"^(?=layer)", layer, maxsplit=1, flags=re.MULTILINE)
            kept = re.findall(r'name: "\w+"|top: "\w+"|include \{[^}]*\}', body)
            shapes = [(4, *picture), (4,)][:layer.count("top:")]
            dims = " ".join(f"shape {{ {' '.join(f'dim: {dim}' for dim in shape)} }}" for shape in shapes)
            layer = f'{before}layer {{ type: "Input" {" ".join(kept)} input_param {{ {dims} }} }}'
        parts.append(layer)
    return "\n".join(parts)


@pytest.mark.parametrize("phase", COUNTS)
def test_all_but_the_data_layers_is_read(corpus, phase):
    """17 networks are refused for their data layers alone: with inputs in their place they are read."""
    outcomes = {}
    for path in corpus:
        text = path.read_text()
        if DATA_LAYER.search(text) and "solver" not in path.name:
            replaced = with_inputs(text, PICTURES.get(path.parent.name, IMAGENET))
            outcomes[path.name if path.name != "train_val.prototxt" else path.parent.name] = outcome(
                lambda text=replaced, path=path: parse_prototxt(text, file=str(path), phase=phase), path)
    assert outcomes.pop("mnist_autoencoder.prototxt") == "names"
    assert len(outcomes) == 16
    assert set(outcomes.values()) == {"read"}


def test_lenet(corpus):
    """Shapes and multiply-accumulates as in LeCun's arithmetic: 20 5x5 kernels on 28x28, 50 on 12x12."""
    path, = (path for path in corpus if path.name == "lenet.prototxt")
    net = read_prototxt(path)
    shapes = infer_shapes(net, batch=1)
    assert {name: str(shape) for name, shape in shapes.items()} == {
        "data": "1x1x28x28", "conv1": "1x20x24x24", "pool1": "1x20x12x12", "conv2": "1x50x8x8", "pool2": "1x50x4x4",
        "ip1": "1x500", "ip2": "1x10", "prob": "1x10"}
    macs = count_macs(net, shapes)
    assert [macs[name] for name in ("conv1", "conv2", "ip1", "ip2")] == [288_000, 1_600_000, 400_000, 5_000]
