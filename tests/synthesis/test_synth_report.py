"""The report of `cortado synth`: its table, and its JSON against the schema."""

from __future__ import annotations

import dataclasses
import io
import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from rich.console import Console

from cortado.report.synth_report import synth_report
from cortado.synthesis.family import families
from cortado.synthesis.nextpnr import NOT_MODELLED, Step, Timing
from cortado.synthesis.synthesis import synthesise
from cortado.synthesis.tool_log import ALLOWED, Warnings

SCHEMA = Path(__file__).parents[2] / "docs" / "schemas" / "synth.schema.json"
TIMING = Timing(fmax_mhz=80.0, path=(Step(kind="clk-to-q", delay_ns=0.5, through="array.a"),
                                     Step(kind="routing", delay_ns=7.0, through="array.net"),
                                     Step(kind="setup", delay_ns=5.0, through="array.b")))


@pytest.fixture
def synthesis(small_design, needs_yosys):
    """One run for all tests; the cache keeps it."""
    return synthesise(small_design, families["ecp5"])


@pytest.fixture
def placed(synthesis):
    """As if it had been placed and routed, with a warning of each kind."""
    return dataclasses.replace(synthesis, timing=TIMING, target_mhz=150.0, seed=1,
                               warnings=Warnings(allowed=(("known", ALLOWED[0][1]),), others=("odd",)))


def violations(report) -> list[str]:
    validator = Draft202012Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(json.loads(report.to_json()))]


def text_of(report) -> str:
    stream = io.StringIO()
    report.print(Console(file=stream, width=400))
    return stream.getvalue()


def test_json_is_what_the_schema_says(synthesis, placed):
    assert violations(synth_report(synthesis)) == []
    assert violations(synth_report(placed)) == []


def test_json_says_what_was_found(placed):
    data = json.loads(synth_report(placed).to_json())
    assert data["usage"]["dsp_by_unit"] == {"array": 3, "(top)": 1}
    assert (data["dsp_per_product"], data["faults"]) == (1, ["a warning that nobody has given a reason for: odd"])
    assert data["allowed_warnings"] == [{"warning": "known", "reason": ALLOWED[0][1]}]
    timing = data["timing"]
    assert (timing["fmax_mhz"], timing["path_ns"], timing["routing_ns"]) == (80, 12.5, 7)
    assert (timing["start"], timing["end"], timing["not_modelled"]) == ("array.a", "array.b", list(NOT_MODELLED))


def test_the_table_names_cells_memories_and_the_limiting_path(placed):
    lines = [" ".join(line.split()) for line in text_of(synth_report(placed)).splitlines()]
    assert "array 3 3 products of 12 x 8 bits, 1 each" in lines
    assert "words 1 512 x 30 block RAM" in lines
    assert "Fmax 80.0 MHz on LFE5U-85F-8BG756, out of context" in lines
    assert "limited by 12.5 ns, 7.0 of it wires, array.a -> array.b" in lines
    assert [line for line in lines if line.startswith("not modelled")] == [
        f"not modelled {words}" for words in NOT_MODELLED]
    assert "FAULT a warning that nobody has given a reason for: odd" in lines


def test_without_a_fault_it_says_so(synthesis):
    assert "no latch, no combinational loop, every memory where it belongs" in text_of(synth_report(synthesis))
