"""Reading nextpnr's report."""

from __future__ import annotations

import pytest

from cortado.synthesis.nextpnr import Step, read_timing


def step(kind: str, delay: float, cell: str, net: str | None = None) -> dict:
    place = {"cell": cell, "loc": [1, 2], "port": "A"}
    return {"type": kind, "delay": delay, "from": place, "to": place, **({"net": net} if net else {})}


# The shape is that of nextpnr 0.11; the numbers are made up.
REPORT = {
    "fmax": {"clk": {"achieved": 80.0, "constraint": 150}, "fast": {"achieved": 300.0, "constraint": 150}},
    "critical_paths": [
        {"from": "<async>", "to": "posedge clk", "path": [step("routing", 9.0, "x", "port")]},
        {"from": "posedge fast", "to": "posedge fast", "path": [step("clk-to-q", 0.5, "y")]},
        {"from": "posedge clk", "to": "posedge clk", "path": [
            step("clk-to-q", 0.5, "unit.a_TRELLIS_FF_Q"), step("routing", 4.0, "unit.lut", "unit.a"),
            step("logic", 2.0, "unit.lut"), step("routing", 5.5, "unit.b_TRELLIS_FF_Q", "unit.lut_Z"),
            step("setup", 0.5, "unit.b_TRELLIS_FF_Q")]},
    ],
    "utilization": {},
}


def test_the_slowest_clock_and_its_path():
    timing = read_timing(REPORT)
    assert timing.fmax_mhz == 80
    assert (timing.start, timing.end) == ("unit.a_TRELLIS_FF_Q", "unit.b_TRELLIS_FF_Q")
    assert timing.path[1] == Step(kind="routing", delay_ns=4.0, through="unit.a")
    assert timing.routing_ns == pytest.approx(4 + 5.5)
    # A path of a clock's whole period.
    assert timing.path_ns == pytest.approx(1e3 / timing.fmax_mhz)
