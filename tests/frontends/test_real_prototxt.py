"""Every prototxt of BVLC/caffe, as it is: read, or refused in one line that says where and why."""

from __future__ import annotations

import re
from collections import Counter

import pytest
import torch

from cortado.errors import CortadoError
from cortado.frontends.prototxt import parse_prototxt, read_prototxt
from cortado.frontends.solver_file import read_solver
from cortado.frontends.textformat import parse_text
from cortado.net.net import Net
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


# Words of a refusal: every one is one line that names the layer, or the field, and what is missing or not supported.
# The data bases, the lists and the layer in Python that the files name are not in the corpus.
REFUSALS = {
    "solver": r"network: '\w+' belongs to a solver file; .+",
    "data base": r"layer '\w+': source '[^']+' must be a data base; there is none here .+",
    "list": r"layer '\w+': source '[^']+' must be a text file that can be read: No such file or directory",
    "WindowData": r"layer '\w+': layer type 'WindowData' is not supported; .+",
    "names": r"layer 'loss': layer names must be unique, 2 layers of network 'MNISTAutoencoder' have this one",
    "Python": r"layer 'loss': import of \w+ in module 'pyloss' must not fail with ModuleNotFoundError: .+",
    "network": r"solver: field 'train_net' must name a network file, there is no 'mnist/lenet_auto_train.prototxt' .+",
}
COUNTS = {
    "TEST": {"read": 11, "solver": 25, "data base": 9, "list": 6, "WindowData": 1, "names": 1, "Python": 1},
    "TRAIN": {"read": 11, "solver": 25, "data base": 9, "list": 6, "WindowData": 1, "names": 1, "Python": 1},
}
# The 25 solver files, up to the data of their training networks.
SOLVER_COUNTS = {"data base": 18, "list": 1, "names": 4, "WindowData": 1, "network": 1}


def outcome(read, path):
    """What became of a file: "read", with shapes, or the kind of its refusal."""
    try:
        infer_shapes(read())
    except CortadoError as error:
        place, _, message = str(error).partition(": ")
        assert re.fullmatch(r"\S+\.prototxt:\d+:\d+", place), error  # noqa: PT017
        kinds = [kind for kind, words in REFUSALS.items() if re.fullmatch(words, message)]
        assert len(kinds) == 1, error  # noqa: PT017
        return kinds[0]
    return "read"


@pytest.mark.parametrize("phase", COUNTS)
def test_every_file_is_read_or_refused_in_one_line(corpus, phase):
    outcomes = Counter(outcome(lambda path=path: read_prototxt(path, phase=phase), path) for path in corpus)
    assert outcomes == COUNTS[phase]


def test_every_solver_file_is_read(corpus):
    """All are read as solvers; then it is their networks' turn, found from the corpus as from Caffe's checkout."""
    solvers = [path for path in corpus if "solver" in path.name]
    outcomes = Counter(outcome(lambda path=path: read_solver(path).training, path) for path in solvers)
    assert outcomes == SOLVER_COUNTS


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


def networks(corpus, phase):
    """Every network of the corpus that its data alone keeps from running, inputs in the place of data layers."""
    for path in corpus:
        text = path.read_text()
        if "solver" in path.name or path.name in ("mnist_autoencoder.prototxt", "linreg.prototxt"):
            continue
        if DATA_LAYER.search(text):
            text = with_inputs(text, PICTURES.get(path.parent.name, IMAGENET))
        yield path, parse_prototxt(text, file=str(path), phase=phase)


@pytest.mark.slow
@pytest.mark.parametrize("phase", COUNTS)
def test_every_network_runs_forward_with_seeded_weights(corpus, phase):
    """27 networks, batch 1 where the file allows; every value of every output is a number, losses are of labels 0."""
    count = 0
    for path, spec in networks(corpus, phase):
        net = Net(spec, seed=0, batch=1)
        generator = torch.Generator().manual_seed(0)
        inputs = {name: torch.randn(net.shapes[name].dims, generator=generator) if net.shapes[name].rank > 1
                  else torch.zeros(net.shapes[name].dims) for name in net.inputs}
        with torch.no_grad():
            values = net(inputs)
        assert all(torch.isfinite(values[name]).all() for name in net.outputs), path
        assert {name: tuple(value.shape) for name, value in values.items()} == {
            name: shape.dims for name, shape in net.shapes.items()}, path
        count += 1
    assert count == 27


@pytest.mark.parametrize("phase", COUNTS)
def test_all_but_the_data_layers_is_read(corpus, phase):
    for _, spec in networks(corpus, phase):
        assert infer_shapes(spec)


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
