"""The folder `cortado generate --target hls` writes: it works alone, and notices what is wrong."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cortado.cli import cli
from cortado.errors import CortadoError
from cortado.hls.project import faults

ENGINE = ("--engine", "m=2,pc=2,pk=2,tiles=16,buffer_words=64,pooling=2,elementwise_add=1")
SMALL = """
name: "small"
layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 1 dim: 3 dim: 9 dim: 7 } } }
layer { name: "a/3x3" type: "Convolution" bottom: "data" top: "a"
        convolution_param { num_output: 5 kernel_size: 3 pad: 1 } }
layer { name: "pool" type: "Pooling" bottom: "a" top: "pool" pooling_param { kernel_size: 3 stride: 2 } }
"""
LARGE = SMALL + """
layer { name: "b" type: "Convolution" bottom: "pool" top: "b"
        convolution_param { num_output: 5 kernel_size: 5 pad: 2 } }
layer { name: "sum" type: "Eltwise" bottom: "pool" bottom: "b" top: "sum" }
layer { name: "relu" type: "ReLU" bottom: "sum" top: "relu" relu_param { negative_slope: 0.1 } }
layer { name: "c" type: "Convolution" bottom: "relu" top: "c" convolution_param { num_output: 4 kernel_size: 1 } }
layer { name: "average" type: "Pooling" bottom: "c" top: "average"
        pooling_param { pool: AVE kernel_size: 3 stride: 2 pad: 1 } }
layer { name: "score" type: "InnerProduct" bottom: "average" top: "score" inner_product_param { num_output: 7 } }
"""
ON_FPGA = [word for layer in ("pool", "sum", "average", "score") for word in ("--fpga", layer)]
FURTHER = ("--kernel", "convolution_relu_pool", "--kernel", "relu")
# The stem of each layer, its kernel, its operands.
EVERY_LAYER = {
    "000_a_3x3": "winograd_convolution", "001_pool": "pooling", "002_b": "direct_convolution",
    "003_sum": "elementwise_add", "004_c": "pointwise_convolution", "005_average": "pooling",
    "006_score": "inner_product", "007_a_3x3": "convolution_relu_pool", "008_relu": "relu",
}


def cortado(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["generate", *arguments], catch_exceptions=False)


def generate(folder: Path, network: str, *options: str) -> Path:
    model = folder.parent / "net.prototxt"
    model.write_text(network)
    ended = cortado(str(model), "--target", "hls", "-o", str(folder), *ENGINE, *options)
    assert ended.exit_code == 0, ended.output
    return folder


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    return generate(tmp_path_factory.mktemp("hls") / "project", SMALL, "--fpga", "pool")


@pytest.fixture(scope="module")
def large_project(tmp_path_factory) -> Path:
    return generate(tmp_path_factory.mktemp("hls") / "large", LARGE, *ON_FPGA, *FURTHER)


def make(folder: Path, *targets: str) -> subprocess.CompletedProcess:
    # Only what the folder holds: no variable leads to the headers.
    return subprocess.run(["make", *targets], cwd=folder, capture_output=True, text=True, timeout=600)


def test_generating_twice_gives_the_same_bytes(project, tmp_path):
    generate(tmp_path / "again", SMALL, "--fpga", "pool")
    again = {path.relative_to(tmp_path / "again"): path for path in (tmp_path / "again").rglob("*") if path.is_file()}
    for name, path in again.items():
        assert path.read_bytes() == (project / name).read_bytes(), name
    assert len(again) > 40


def test_it_compares_every_layer_and_returns_non_zero_on_a_difference(project, tmp_path):
    copy = shutil.copytree(project, tmp_path / "copy")
    ended = make(copy, "csim")
    assert ended.returncode == 0, ended.stderr
    assert re.findall(r"^(\w+) \S+: 0 of [1-9]\d* bytes differ$", ended.stdout, re.MULTILINE) == [
        "001_pool", "001_pool", "000_a_3x3", "000_a_3x3"]
    assert "WARNING" not in ended.stdout
    vector = copy / "vectors" / "000_a_3x3.random.expected.bin"
    numbers = bytearray(vector.read_bytes())
    numbers[0] ^= 1
    vector.write_bytes(numbers)
    ended = make(copy, "csim")
    assert ended.returncode != 0
    assert "000_a_3x3 000_a_3x3.random.expected.bin: 1 of" in ended.stdout


def test_clang_has_no_warning(project):
    ended = make(project, "lint")
    assert (ended.returncode, ended.stderr) == (0, "")


@pytest.mark.slow
@pytest.mark.parametrize("target", ["csim", "sanitize"])
def test_every_kernel(large_project, tmp_path, target):
    """Compiled by g++ without a warning, with the sanitizers too; the bench equal to golden."""
    ended = make(shutil.copytree(large_project, tmp_path / "copy"), target)
    assert ended.returncode == 0, ended.stderr
    compared = re.findall(r"^(\w+) \S+: 0 of [1-9]\d* bytes differ$", ended.stdout, re.MULTILINE)
    assert sorted(compared) == sorted([*EVERY_LAYER, *EVERY_LAYER])


@pytest.mark.slow
def test_clang_has_no_warning_on_any_kernel(large_project):
    test_clang_has_no_warning(large_project)


def test_every_layer_has_its_kernel_and_what_it_costs(large_project):
    assert faults(large_project) == []
    layers = json.loads((large_project / "manifest.json").read_text())["layers"]
    assert [layer["kernel"] for layer in layers] == list(EVERY_LAYER.values())
    costs = {layer["layer"]: (layer["estimated_cycles"], layer["estimated_dsps"]) for layer in layers[1:7]}
    # Three planes: four windows of three rows, each of which waits 64 cycles for its one beat; then each of their three
    # columns takes a cycle for each of its three numbers, and four to start. The last write takes 64.
    assert costs["pool"][0] == 3 * (4 * 3 * (64 + 1) + 4 * (3 * 3 + 4)) + 64
    # Three planes of four rows of a beat; 16 numbers of each operand by a factor of 16 bits.
    assert costs["sum"] == (2 * 64 + 3 * 4, 2 * 16)
    # Two beats of inputs; a record and two beats of weights for each of seven outputs.
    assert costs["score"][0] == 3 * 64 + 2 + 7 * 3


def test_its_scripts_name_what_is_there(project):
    assert faults(project) == []
    manifest = json.loads((project / "manifest.json").read_text())
    assert manifest["kernels"] == ["pooling", "winograd_convolution"]
    assert len((project / "README.md").read_text().splitlines()) == 3
    for kernel in manifest["kernels"]:
        assert f"syn.top={kernel}\n" in (project / f"{kernel}.cfg").read_text()
    assert "sp=pooling_1.input:HP0\nsp=pooling_1.output:HP0\n" in (project / "link.cfg").read_text()


@pytest.mark.parametrize(("file", "old", "new", "message"), [
    ("run_hls.tcl", "create_clock", "create_clock {", "run_hls.tcl: line 13: { is not closed"),
    ("run_hls.tcl", "kernels winograd_convolution.cpp", "kernels winograd.cpp",
     "run_hls.tcl: kernels/winograd.cpp is not there"),
    ("winograd_convolution.cfg", "tb.file=vectors", "tb.file=vector", "winograd_convolution.cfg: vector is not there"),
    ("link.cfg", "nk=winograd_convolution", "nk=winograd", "link.cfg: kernel winograd is not in run_hls.tcl"),
    ("link.cfg", "winograd_convolution_1.weights", "winograd_convolution_1.weight",
     "link.cfg: kernel winograd_convolution has no port weight"),
])
def test_a_script_that_names_what_is_not_there(project, tmp_path, file, old, new, message):
    copy = shutil.copytree(project, tmp_path / "copy")
    text = (copy / file).read_text()
    assert old in text
    (copy / file).write_text(text.replace(old, new, 1))
    assert faults(copy) == [message]


@pytest.mark.parametrize(("arguments", "message"), [
    (("--target", "hls", "--testbench"),
     "--testbench is for --target rtl; --target hls always writes its test bench"),
    (("--target", "hls", "--board", "ulx3s_85f"),
     "--target hls is for AMD parts, not for LFE5U-85F-6BG381C; choose another board"),
    (("--kernel", "relu"), "--kernel is for --target hls; add it"),
    (("--precision", "half"), "--precision is for --target hls; add it"),
    (("--target", "hls", "--precision", "half", "--kernel", "relu"),
     "--kernel is for whole numbers; leave out --precision or it"),
])
def test_what_does_not_go_with_the_target_is_refused(tmp_path, arguments, message):
    ended = cortado("-o", str(tmp_path / "out"), *arguments)
    assert ended.exit_code == 2
    assert ended.stderr.endswith(f"Error: {message}\n")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("kernel", "message"), [
    ("relu", ("network 'small': must have a ReLU that is not fused into the layer before it to write the HLS kernel "
              "'relu'; leave it out (--kernel)")),
    ("convolution_relu_pool", ("layer 'a/3x3': the fused HLS kernel pools the maximum of 2x2 or 3x3 with stride 2 and "
                               "no padding, not max of (3, 3) with stride (1, 1) and padding (0, 0)")),
])
def test_a_kernel_that_no_layer_runs_on_is_refused(tmp_path, kernel, message):
    model = tmp_path / "net.prototxt"
    model.write_text(SMALL.replace("stride: 2", "stride: 1"))
    with pytest.raises(CortadoError) as caught:
        cortado(str(model), "--target", "hls", "-o", str(tmp_path / "out"), *ENGINE, "--kernel", kernel)
    assert str(caught.value) == message
    assert not (tmp_path / "out").exists()
