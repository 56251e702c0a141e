"""Every prototxt of BVLC/caffe, as it is: read, or refused in one line that says where and why."""

from __future__ import annotations

import re

import pytest

from cortado.errors import CortadoError
from cortado.frontends.prototxt import read_prototxt
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


def test_every_file_is_read_or_refused_in_one_line(corpus):
    expected = re.compile(r"layer '[^']+': unknown layer type '\w+' \(known: .+\)"
                          r"|network: '\w+' belongs to a solver file; .+")
    read = set()
    for path in corpus:
        for phase in ("TEST", "TRAIN"):
            try:
                infer_shapes(read_prototxt(path, phase=phase))
                read.add(path.name)
            except CortadoError as error:
                place, _, message = str(error).partition(": ")
                assert re.fullmatch(re.escape(str(path)) + r":\d+:\d+", place), error  # noqa: PT017
                assert expected.fullmatch(message), error  # noqa: PT017
    assert {"lenet.prototxt", "cifar10_quick.prototxt", "conv.prototxt", "mnist_siamese.prototxt"} <= read


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
