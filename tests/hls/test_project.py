"""The folder `cortado generate --target hls` writes: it works alone, and notices what is wrong."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cortado.hls.project import faults

ENGINE = ("--engine", "m=2,pc=2,pk=2,tiles=16,buffer_words=64")
NETWORK = """
name: "three"
layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 1 dim: 3 dim: 9 dim: 7 } } }
layer { name: "a" type: "Convolution" bottom: "data" top: "a"
        convolution_param { num_output: 5 kernel_size: 3 pad: 1 } }
layer { name: "b/5x5" type: "Convolution" bottom: "a" top: "b"
        convolution_param { num_output: 3 kernel_size: 5 pad: 2 } }
layer { name: "c" type: "Convolution" bottom: "b" top: "c" convolution_param { num_output: 4 kernel_size: 1 } }
"""


def generate(folder: Path, model: Path) -> None:
    subprocess.run([sys.executable, "-m", "cortado", "generate", str(model), "--target", "hls", "-o", str(folder),
                    *ENGINE], check=True, capture_output=True, timeout=120)


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    file = tmp_path_factory.mktemp("model") / "three.prototxt"
    file.write_text(NETWORK)
    return file


@pytest.fixture(scope="module")
def project(tmp_path_factory, model) -> Path:
    folder = tmp_path_factory.mktemp("hls") / "project"
    generate(folder, model)
    return folder


def make(folder: Path, *targets: str) -> subprocess.CompletedProcess:
    # Only what the folder holds: no variable leads to the headers.
    return subprocess.run(["make", *targets], cwd=folder, capture_output=True, text=True, timeout=600)


def test_generating_twice_gives_the_same_bytes(project, model, tmp_path):
    generate(tmp_path / "again", model)
    again = {path.relative_to(tmp_path / "again"): path for path in (tmp_path / "again").rglob("*") if path.is_file()}
    for name, path in again.items():
        assert path.read_bytes() == (project / name).read_bytes(), name
    assert len(again) > 40


def test_it_compares_every_layer_and_returns_non_zero_on_a_difference(project, tmp_path):
    copy = shutil.copytree(project, tmp_path / "copy")
    ended = make(copy, "csim")
    assert ended.returncode == 0, ended.stderr
    assert re.findall(r"^(\w+) \S+: 0 of \d+ bytes differ$", ended.stdout, re.MULTILINE) == [
        "001_b_5x5", "001_b_5x5", "002_c", "002_c", "000_a", "000_a"]
    assert "WARNING" not in ended.stdout
    vector = copy / "vectors" / "001_b_5x5.random.expected.bin"
    numbers = bytearray(vector.read_bytes())
    numbers[0] ^= 1
    vector.write_bytes(numbers)
    ended = make(copy, "csim")
    assert ended.returncode != 0
    assert "001_b_5x5 001_b_5x5.random.input.bin: 1 of" in ended.stdout


def test_clang_has_no_warning(project):
    ended = make(project, "lint")
    assert (ended.returncode, ended.stderr) == (0, "")


@pytest.mark.slow
def test_sanitizers_find_nothing(project, tmp_path):
    ended = make(shutil.copytree(project, tmp_path / "copy"), "sanitize")
    assert ended.returncode == 0, ended.stderr
    assert len(re.findall(r": 0 of \d+ bytes differ$", ended.stdout, re.MULTILINE)) == 6


def test_its_scripts_name_what_is_there(project):
    assert faults(project) == []
    manifest = json.loads((project / "manifest.json").read_text())
    assert manifest["kernels"] == ["direct_convolution", "pointwise_convolution", "winograd_convolution"]
    assert len((project / "README.md").read_text().splitlines()) == 3
    for kernel in manifest["kernels"]:
        assert f"syn.top={kernel}\n" in (project / f"{kernel}.cfg").read_text()


@pytest.mark.parametrize(("file", "old", "new", "message"), [
    ("run_hls.tcl", "create_clock", "create_clock {", "run_hls.tcl: line 13: { is not closed"),
    ("run_hls.tcl", "kernels direct_convolution.cpp", "kernels direct.cpp",
     "run_hls.tcl: kernels/direct.cpp is not there"),
    ("direct_convolution.cfg", "tb.file=vectors", "tb.file=vector", "direct_convolution.cfg: vector is not there"),
    ("link.cfg", "nk=direct_convolution", "nk=direct", "link.cfg: kernel direct is not in run_hls.tcl"),
    ("link.cfg", "direct_convolution_1.weights", "direct_convolution_1.weight",
     "link.cfg: kernel direct_convolution has no port weight"),
])
def test_a_script_that_names_what_is_not_there(project, tmp_path, file, old, new, message):
    copy = shutil.copytree(project, tmp_path / "copy")
    text = (copy / file).read_text()
    assert old in text
    (copy / file).write_text(text.replace(old, new, 1))
    assert faults(copy) == [message]


@pytest.mark.parametrize(("arguments", "message"), [
    (("--testbench",), ("--testbench is for --target rtl; --target hls always writes its test bench")),
    (("--board", "ulx3s_85f"), ("--target hls is for AMD parts, not for LFE5U-85F-6BG381C; choose another board")),
])
def test_what_does_not_go_with_the_target_is_refused(tmp_path, arguments, message):
    ended = subprocess.run([sys.executable, "-m", "cortado", "generate", "--target", "hls", "-o",
                            str(tmp_path / "out"), *arguments], capture_output=True, text=True, timeout=120)
    assert ended.returncode == 2
    assert ended.stderr.endswith(f"Error: {message}\n")
    assert not (tmp_path / "out").exists()
