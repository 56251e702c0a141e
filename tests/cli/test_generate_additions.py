"""`cortado generate` with a test bench and for a board, and `cortado bench-new`, through the real command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

# Its Verilog is made in seconds.
SMALL_ENGINE = ("--engine", "m=2,pc=1,pk=1,beat_bits=64", "--engine", "tiles=16,block_columns=8")
FPGA_LAYERS = ["conv1_1", "conv1_2", "conv2_1", "conv2_2"]


def test_a_bundle_with_a_bench_for_a_board(cortado):
    ended = cortado("generate", "-o", "bundle", "--testbench", "--board", "pynq_z2", *SMALL_ENGINE)
    assert (ended.code, ended.err) == (0, "")
    lines = ended.out.splitlines()
    assert f"testbench/     cocotb bench of {', '.join(FPGA_LAYERS)}; run make or pytest there" in lines
    assert "for TUL PYNQ-Z2 (Zynq-7000), xc7z020clg400-1; nobody has run it on the board:" in lines
    assert any(line.startswith("package_ip.tcl  ") and line.endswith("Vivado has not run it") for line in lines)
    assert {path.name for path in Path("bundle").iterdir()} == {
        "engine.v", "manifest.json", "jobs", "testbench", "component.xml", "engine.core", "engine.xdc",
        "package_ip.tcl", "BOARD.md"}
    # The clock is that of the board where nobody names another.
    assert json.loads(Path("bundle/manifest.json").read_text())["verilog"]["clock_mhz"] == 100


def test_a_bench_of_the_layers_that_are_wanted(cortado):
    ended = cortado("generate", "-o", "bundle", "--testbench", "--testbench-layer", "conv2_1", "--json", *SMALL_ENGINE)
    assert (ended.code, ended.err) == (0, "")
    assert ended.json["testbench_layers"] == ["conv2_1"]
    assert ended.json["board"] is None
    vectors = json.loads(Path("bundle/testbench/vectors.json").read_text())
    assert [job["layer"] for job in vectors["jobs"]] == ["conv2_1"]


def test_a_board_in_json(cortado):
    ended = cortado("generate", "-o", "bundle", "--board", "ulx3s_85f", "--clock-mhz", "30", "--json", *SMALL_ENGINE)
    assert (ended.code, ended.err) == (0, "")
    assert ended.json["testbench_layers"] is None
    board = ended.json["board"]
    assert (board["name"], board["part"]) == ("ulx3s_85f", "LFE5U-85F-6BG381C")
    assert [file["name"] for file in board["files"]] == ["component.xml", "engine.core", "top.v", "top.lpf", "Makefile"]
    assert ended.json["manifest"]["verilog"]["clock_mhz"] == 30


@pytest.mark.parametrize(("arguments", "code", "message"), [
    (("--testbench-layer", "conv1_1"), 2, "Error: --testbench-layer is for a test bench; add --testbench"),
    (("--testbench", "--testbench-layer", "pool1"), 1, (
        "error: layer 'pool1': a test bench runs layers on the FPGA (conv1_1, conv1_2, conv2_1, conv2_2); choose one "
        "of these")),
    (("--board", "ulx3s"), 2, (
        "Error: Invalid value for '--board': unknown board 'ulx3s'; did you mean 'ulx3s_85f'? (known: kria_kv260, "
        "pynq_z2, ulx3s_85f, zcu104)")),
    (("--board", "ulx3s_85f", "--engine", "pc=8"), 1, (
        "error: board 'ulx3s_85f': the engine must have at most the 156 multipliers of LFE5U-85F-6BG381C, not 576; "
        "take a smaller one (--engine m=2,pc=1,pk=1)")),
], ids=["layer without bench", "layer on the host", "unknown board", "too large"])
def test_what_cannot_be_generated(cortado, arguments, code, message):
    ended = cortado("generate", "-o", "bundle", *arguments)
    assert (ended.code, ended.out) == (code, "")
    assert ended.err.splitlines()[-1] == message
    assert not Path("bundle").exists()


def test_a_new_bench(cortado):
    ended = cortado("bench-new", "gearbox", "--with", "unit_bits=4", "--with", "units_in=2", "--with", "units_out=3")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.splitlines()[0] == "bench of Gearbox written to bench_gearbox.py"
    assert "run it       python bench_gearbox.py" in ended.out.splitlines()
    assert 'CASES = {"first": {"unit_bits": 4, "units_in": 2, "units_out": 3}}' in Path("bench_gearbox.py").read_text()
    ended = cortado("bench-new", "gearbox", "--with", "unit_bits=8", "--with", "units_in=2", "--with", "units_out=3")
    assert (ended.code, ended.out) == (1, "")
    assert ended.err == "error: 'bench_gearbox.py': the file must be new; give another one (-o) or --force\n"
    ended = cortado("bench-new", "gearbox", "--with", "unit_bits=8", "--with", "units_in=2", "--with", "units_out=3",
                    "--force", "-o", "deep/down/bench.py", "--json")
    assert (ended.code, ended.err, ended.json["file"]) == (0, "", "deep/down/bench.py")
    assert ended.json["component"] == "cortado.gateware.gearbox:Gearbox"
    assert Path("deep/down/bench.py").is_file()


@pytest.mark.parametrize(("arguments", "code", "message"), [
    (("grinder",), 1, "error: component 'grinder': must be one of AxiEngine, "),
    (("relu", "--with", "m"), 2, (
        "Error: Invalid value for '--with': 'm' must be a name and a value, as in beat_bits=64")),
    (("relu", "--with", "m=2", "--with", "m=4"), 2, (
        "Error: Invalid value for '--with': argument 'm' must be given once, not as m=2 and m=4")),
    (("relu", "--with", "m=3"), 1, "error: engine configuration: m must be one of 2, 4, 6, not 3"),
    (("relu", "-o", "/dev/null/x.py"), 1, "error: '/dev/null/x.py': the file cannot be written: "),
], ids=["unknown", "no value", "twice", "illegal", "no folder"])
def test_a_bench_that_cannot_be_written(cortado, arguments, code, message):
    ended = cortado("bench-new", *arguments)
    assert (ended.code, ended.out) == (code, "")
    assert ended.err.splitlines()[-1].startswith(message)
    assert list(Path().iterdir()) == []
