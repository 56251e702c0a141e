"""The folder `cortado generate --target hls --precision` writes: kernels in floating point, compared with float64."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from tests.hls.test_project import cortado, make
from tests.report.test_schemas import violations

from cortado.errors import CortadoError
from cortado.hls.project import faults

ENGINE = ("--engine", "m=2,pc=2,pk=2,tiles=16,buffer_words=256")
NETWORK = """
name: "floats"
layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 1 dim: 4 dim: 11 dim: 7 } } }
layer { name: "conv1" type: "Convolution" bottom: "data" top: "conv1"
        convolution_param { num_output: 6 kernel_size: 5 stride: 2 pad: 1 } }
layer { name: "norm" type: "LRN" bottom: "conv1" top: "norm" lrn_param { local_size: 3 alpha: 0.5 beta: 0.75 } }
layer { name: "conv2" type: "Convolution" bottom: "norm" top: "conv2"
        convolution_param { num_output: 4 kernel_size: 3 pad: 1 group: 2 } }
layer { name: "relu" type: "ReLU" bottom: "conv2" top: "conv2" }
"""
LAYERS = [("conv1", "direct_convolution"), ("norm", "local_response_normalization"),
          ("conv2 group 0", "winograd_convolution"), ("conv2 group 0", "direct_convolution"),
          ("conv2 group 1", "winograd_convolution"), ("conv2 group 1", "direct_convolution")]


@pytest.fixture(params=["float", "half"])
def project(tmp_path, request) -> Path:
    model = tmp_path / "net.prototxt"
    model.write_text(NETWORK)
    ended = cortado(str(model), "--target", "hls", "--precision", request.param, "-o", str(tmp_path / "out"), *ENGINE,
                    "--json")
    assert ended.exit_code == 0, ended.output
    assert violations("generate-floating", json.loads(ended.stdout)) == []
    return tmp_path / "out"


def test_every_layer_has_its_kernels(project):
    layers = json.loads((project / "manifest.json").read_text())["layers"]
    assert [(layer["layer"], layer["kernel"]) for layer in layers] == LAYERS
    # 6 filters of 4 channels, 5 x 5, on 5 x 3 places; then two groups of 2 filters of 3 channels.
    assert [layer["macs"] for layer in layers] == [6 * 4 * 25 * 5 * 3, 0, *[2 * 3 * 9 * 5 * 3] * 4]
    assert faults(project) == []
    bounds = np.fromfile(project / "vectors" / "000_conv1.random.bound.bin")
    assert (np.count_nonzero(bounds), bounds.min()) == (6 * 5 * 3, 0)


@pytest.mark.slow
def test_its_benches_compare_with_float64(project, tmp_path):
    ended = make(project, "csim", "lint")
    assert ended.returncode == 0, ended.stderr
    assert ended.stderr == ""
    lines = re.findall(r": 0 of (\d+) values beyond the bound; mean error (\S+), ", ended.stdout)
    assert len(lines) == 2 * len(LAYERS)
    assert all(int(compared) and 0 < float(error) < 1e-2 for compared, error in lines)
    # A value beyond its bound, and one that is no number.
    for wrong in (1.0, np.nan):
        copy = Path(shutil.copytree(project, tmp_path / f"with {wrong}"))
        file = copy / "vectors" / "001_norm.random.expected.bin"
        values = np.fromfile(file)
        values[3] += wrong
        values.tofile(file)
        ended = make(copy, "csim")
        assert ended.returncode != 0
        assert "001_norm 001_norm.random.expected.bin: 1 of 90 values beyond the bound" in ended.stdout


@pytest.mark.parametrize(("old", "new", "options", "message"), [
    ("local_size: 3", "local_size: 3 norm_region: WITHIN_CHANNEL", (),
     "layer 'norm': the LRN kernel works across channels, not within each, so the network cannot be written"),
    ('"conv2" }', '"conv2" relu_param { negative_slope: 0.1 } }', (),
     "layer 'conv2': the floating kernels have the plain ReLU, not one with a slope"),
    ("x", "x", ("--engine", "m=6"), "floating configuration: m must be one of 2, 4, not 6"),
])
def test_what_the_kernels_do_not_take_is_refused(tmp_path, old, new, options, message):
    model = tmp_path / "net.prototxt"
    model.write_text(NETWORK.replace(old, new))
    with pytest.raises(CortadoError) as caught:
        cortado(str(model), "--target", "hls", "--precision", "float", "-o", str(tmp_path / "out"), *options)
    assert str(caught.value) == message
    assert not (tmp_path / "out").exists()
