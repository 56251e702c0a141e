"""Every prototxt of BVLC/caffe, as it is: read, or refused in one line that says where and why."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from cortado.errors import CortadoError
from cortado.frontends.prototxt import read_prototxt
from cortado.frontends.solver_file import read_solver
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


# Words of a refusal: every one is one line that names the layer, or the field, and what is missing or not supported.
# The data bases, the lists and the layer in Python that the files name are not in the corpus.
REFUSALS = {
    "solver": r"network: '\w+' belongs to a solver file; .+",
    "data base": r"layer '\w+': source '[^']+' must be a data base; there is none here .+",
    "list": r"layer '\w+': source '[^']+' must be a text file that can be read: No such file or directory",
    "WindowData": r"layer '\w+': layer type 'WindowData' is not supported; .+",
    "stage": r"layer 'flatdata': bottom 0 'data' is produced by nobody",
    "Python": r"layer 'loss': import of \w+ in module 'pyloss' must not fail with ModuleNotFoundError: .+",
    "network": r"solver: field 'train_net' must name a network file, there is no 'mnist/lenet_auto_train.prototxt' .+",
}
COUNTS = {
    # The data layers of mnist_autoencoder.prototxt are for stages that its solver names.
    "TEST": {"read": 11, "solver": 25, "data base": 9, "list": 6, "WindowData": 1, "stage": 1, "Python": 1},
    "TRAIN": {"read": 11, "solver": 25, "data base": 10, "list": 6, "WindowData": 1, "Python": 1},
}
# The 25 solver files, up to the data of their training networks.
SOLVER_COUNTS = {"data base": 22, "list": 1, "WindowData": 1, "network": 1}


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
