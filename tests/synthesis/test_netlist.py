"""Counting a netlist that was written by hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cortado.synthesis.family import families
from cortado.synthesis.netlist import LongestPath, Netlist

VERILOG = ("module engine(clk);\nendmodule\nmodule \\engine.core (clk);\n\nendmodule\n"
           "module \\engine.core.array (clk);\n\nendmodule\n")
REGISTER = {"CLK": "input", "DI": "input", "Q": "output"}


def cell(kind: str, directions: dict, wires: dict, parameters: dict | None = None, src: str = "") -> dict:
    return {"type": kind, "port_directions": directions, "connections": wires, "parameters": parameters or {},
            "attributes": {"src": src}}


def register(d: object, q: int, src: str = "") -> dict:
    return cell("TRELLIS_FF", REGISTER, {"CLK": [1], "DI": [d], "Q": [q]}, src=src)


LUT = {"A": "input", "B": "input", "Z": "output"}
DSP = {"A0": "input", "B0": "input", "P0": "output"}
CARRY = {**{f"{name}{half}": "input" for name in "ABCD" for half in "01"}, "CIN": "input", "S0": "output",
         "S1": "output", "COUT": "output"}


def carry(a0: int, a1: int, cin: object, s0: int, s1: int, cout: int) -> dict:
    constants = {f"{name}{half}": ["0"] for name in "BCD" for half in "01"}
    return cell("CCU2C", CARRY, {"A0": [a0], "A1": [a1], **constants, "CIN": [cin], "S0": [s0], "S1": [s1],
                                 "COUT": [cout]})


CELLS = {
    "core": {**cell("$scopeinfo", {}, {}), "attributes": {}},
    "core.array": {**cell("$scopeinfo", {}, {}), "attributes": {}},
    # start -> LUT -> carry chain of two cells -> mux -> DSP -> end.
    "core.start": register("0", 10),
    "core.lut": cell("LUT4", LUT, {"A": [10], "B": ["1"], "Z": [11]}),
    "core.low": carry(11, 2, "0", 20, 21, 22),
    "core.high": carry(3, 3, 22, 23, 24, 25),
    "core.mux": cell("PFUMX", LUT, {"A": [24], "B": [4], "Z": [26]}),
    "core.array.product": cell("MULT18X18D", DSP, {"A0": [26], "B0": [5], "P0": [27]}, {"REG_OUTPUT_CLK": "NONE"}),
    "core.end": register(27, 30),
    # Made up by yosys: told by its line, through a file of yosys's own.
    "$auto$maccmap.cc:308": cell("MULT18X18D", DSP, {"A0": [30], "B0": [5], "P0": [40]}, {"REG_OUTPUT_CLK": "CLK0"},
                                 src="/share/mul2dsp.v:1.1-2.2|engine.v:4.1-4.9"),
    "$nobody": register(40, 41),
    "core.memory": cell("DP16KD", {"ADA0": "input", "DOA0": "output"}, {"ADA0": [30], "DOA0": [42]}),
}


@pytest.fixture
def netlist(tmp_path: Path) -> Netlist:
    names = {"core.first": [10], "core.result": [30], "core.result_long_name": [30]}
    module = {"ports": {}, "cells": CELLS, "netnames": {name: {"bits": bits} for name, bits in names.items()}}
    path = tmp_path / "netlist.json"
    path.write_text(json.dumps({"modules": {"engine": module}}))
    return Netlist(path, "engine", families["ecp5"], verilog=VERILOG, depth=2)


def test_cells_are_counted(netlist):
    usage = netlist.usage()
    assert (usage.dsp, usage.registers, usage.block_ram, usage.lut_ram) == (2, 3, 1, 0)
    # A carry cell is two LUTs.
    assert usage.luts == 1 + 2 * 2
    assert "$scopeinfo" not in usage.cells


def test_each_dsp_and_block_ram_has_its_owner(netlist):
    usage = netlist.usage()
    assert usage.dsp_by_owner == {"core": 1, "core.array": 1}
    assert usage.block_ram_by_owner == {"core": 1}
    assert netlist.owner("$nobody") == "(top)"
    assert netlist.owner("$flatten\\core.\\array.$mul$engine.v:7") == "core.array"


def test_the_longest_path_counts_logic_and_neither_carries_nor_muxes(netlist):
    # The LUT, the entry of the carry chain, the DSP without registers; then a register ends the path.
    assert netlist.longest_path() == LongestPath(levels=3, start="core.first", end="core.result")
