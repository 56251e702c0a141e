"""What a bench runs on: one component in several configurations, side by side in one simulation."""

from __future__ import annotations

import json
import os

from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import Out

CASES_VARIABLE = "CORTADO_BENCH_CASES"

CASES: dict[str, dict] = json.loads(os.environ.get(CASES_VARIABLE, "{}"))
"""The keyword arguments of each configuration, by name; filled by whoever starts the simulator."""


class Group(wiring.Component):
    """Independent parts whose ports bear their names: the port `i` of the part `a` is `a__i` in Verilog."""

    def __init__(self, parts: dict[str, wiring.Component]) -> None:
        self._parts = parts
        super().__init__({name: Out(part.signature) for name, part in parts.items()})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        for name, part in self._parts.items():
            m.submodules[name] = part
            wiring.connect(m, wiring.flipped(getattr(self, name)), part)
        return m
