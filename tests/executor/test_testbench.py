"""The bench that `cortado generate --testbench` writes passes where there is no cortado, and fails where it must."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from cortado.errors import PlanError
from cortado.executor import testbench
from cortado.executor.bundle import write_bundle
from cortado.executor.input_batch import InputBatch
from cortado.executor.testbench import CocotbBench, choose_layers
from cortado.graph.shape import TensorShape
from cortado.simulation import toolchain

FILES = {"Makefile", "README.md", "bench.py", "monitor.py", "run.py", "test_engine.py", "vectors.json"}
VECTORS = {"counts", "pictures.input", "pictures.expected", "random.input", "random.expected"}


@pytest.fixture
def written(plan, pipeline, pictures, tmp_path) -> Path:
    bench = CocotbBench(plan=plan, net=pipeline.net, inputs={"data": pictures}, layers=("a", "b/3x3"))
    write_bundle(plan, pipeline.shapes, tmp_path / "bundle", clock_mhz=150.0, additions=[bench.write])
    return tmp_path / "bundle"


@pytest.fixture
def alone(written, tmp_path) -> Path:
    """The bundle moved to another place, and nothing else."""
    place = tmp_path / "elsewhere" / "engine"
    place.parent.mkdir()
    shutil.move(written, place)
    return place / "testbench"


@pytest.fixture
def no_cortado(tmp_path) -> dict[str, str]:
    """An environment in which an import of cortado is an error."""
    trap = tmp_path / "trap"
    (trap / "cortado").mkdir(parents=True)
    (trap / "cortado" / "__init__.py").write_text('raise ImportError("the bench must not need cortado")\n')
    variables = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "MAKEFLAGS")}
    # pytest would load cortado's own plugin, which is not there where there is no cortado.
    return {**variables, "PYTHONPATH": str(trap), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}


def run(command: list[str], folder: Path, variables: dict[str, str]) -> subprocess.CompletedProcess:
    return subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True, timeout=1200)


def test_files(written):
    folder = written / "testbench"
    assert {path.name for path in folder.iterdir() if path.is_file()} == FILES
    assert {path.name for path in (folder / "vectors").iterdir()} == {
        f"{job}.{name}.bin" for job in ("000_a", "001_b_3x3") for name in VECTORS}
    for path in folder.glob("*.py"):
        assert "import cortado" not in path.read_text()
        assert "from cortado" not in path.read_text()


def test_vectors_are_the_layer_on_the_pictures_before_it_and_on_random_ones(written, plan, pipeline, pictures):
    vectors = json.loads((written / "testbench" / "vectors.json").read_text())
    manifest = json.loads((written / "manifest.json").read_text())
    assert vectors["configuration_hash"] == manifest["configuration_hash"]
    job, entry = vectors["jobs"][0], manifest["jobs"][0]
    assert (job["layer"], job["output_address"]) == ("a", entry["memory"]["output"]["address"])
    planned = plan.cut.engine.job("a", plan.convolutions["a"], TensorShape(pictures.shape))
    source, target = planned.source, planned.target
    step = plan.formats["a"].input_scale
    maps = np.clip(np.rint(pictures / step), -128, 127).astype(np.int8)
    folder = written / "testbench"
    first = job["inputs"]["pictures"]
    np.testing.assert_array_equal(source.unpack(np.fromfile(folder / first["loads"][0]["file"], np.uint8)), maps)
    expected = target.unpack(np.fromfile(folder / first["expected_file"], np.uint8))
    np.testing.assert_array_equal(expected, plan.convolutions["a"].golden(maps))
    random = source.unpack(np.fromfile(folder / job["inputs"]["random"]["loads"][0]["file"], np.uint8))
    assert (random.min(), random.max()) == (-128, 127)
    # Every number of the map counts, and nothing beside it.
    counts = np.fromfile(folder / job["counts_file"], np.uint8)
    assert set(np.unique(counts)) == {0, 255}
    assert np.count_nonzero(counts) == expected.size


def test_layers_are_the_cheapest_that_fit_a_minute_or_those_wanted(plan, monkeypatch):
    costs = {name: plan.cut.placement(name).estimate.cycles for name in ("a", "b/3x3")}
    assert costs["b/3x3"] < costs["a"]
    assert choose_layers(plan, ()) == ("a", "b/3x3")
    monkeypatch.setattr(testbench, "LARGEST_CYCLES", sum(costs.values()) - 1)
    assert choose_layers(plan, ()) == ("b/3x3",)
    assert choose_layers(plan, ("a",)) == ("a",)
    monkeypatch.setattr(testbench, "LARGEST_CYCLES", 1)
    assert choose_layers(plan, ()) == ("b/3x3",)
    with pytest.raises(PlanError) as caught:
        choose_layers(plan, ("score",))
    assert str(caught.value) == ("layer 'score': a test bench runs layers on the FPGA (a, b/3x3); choose one of these")


def test_pictures_are_repeated_where_there_are_too_few(rng):
    batch = InputBatch(pictures=rng.standard_normal((2, 1, 3, 3)).astype(np.float32), names=("x", "y"), origin="here")
    np.testing.assert_array_equal(batch.exactly(3), batch.pictures[[0, 1, 0]])
    np.testing.assert_array_equal(batch.exactly(1), batch.pictures[:1])


@pytest.mark.rtlsim
def test_make_passes_alone_and_fails_on_a_wrong_byte(simulator_tools, alone, no_cortado):
    toolchain.make().require()
    command = ["make", f"PYTHON={sys.executable}"]
    ended = run(command, alone, no_cortado)
    assert ended.returncode == 0, ended.stdout[-3000:] + ended.stderr[-3000:]
    assert "TESTS=4 PASS=4 FAIL=0" in ended.stdout
    assert "layer 'b/3x3', random: " in ended.stdout

    vectors = json.loads((alone / "vectors.json").read_text())
    job = vectors["jobs"][1]
    file = alone / job["inputs"]["random"]["expected_file"]
    right = file.read_bytes()
    index = (alone / job["counts_file"]).read_bytes().index(255)
    file.write_bytes(right[:index] + bytes([right[index] ^ 1]) + right[index + 1:])
    ended = run(command, alone, no_cortado)
    assert ended.returncode != 0
    assert "TESTS=4 PASS=2 FAIL=2" in ended.stdout
    assert (f"layer 'b/3x3', random: 1 bytes of memory are wrong, the first at {job['output_address'] + index:#x}"
            in ended.stdout)

    # What lies between the rows does not count; another engine does.
    file.write_bytes(right)
    vectors["configuration_hash"] = "0123456789abcdef"
    (alone / "vectors.json").write_text(json.dumps(vectors))
    ended = run(command, alone, no_cortado)
    assert ended.returncode != 0
    assert "the configuration must be 0123456789abcdef, not " in ended.stdout


@pytest.mark.rtlsim
def test_pytest_passes_alone_in_icarus(alone, no_cortado):
    toolchain.icarus().require()
    ended = run([sys.executable, "-m", "pytest", "-q"], alone, {**no_cortado, "SIM": "icarus"})
    assert ended.returncode == 0, ended.stdout[-3000:] + ended.stderr[-3000:]
    assert "1 passed" in ended.stdout
