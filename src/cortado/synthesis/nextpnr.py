"""Nextpnr: a netlist placed and routed on an ECP5, and how fast it can be clocked."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cortado.simulation import toolchain
from cortado.synthesis.meter import Metering
from cortado.synthesis.wheel import run_wheel
from cortado.synthesis.yosys import NETLIST_NAME

DEVICE = "LFE5U-85F-8BG756"
REPORT_NAME = "timing.json"
LOG_NAME = "nextpnr.log"

NOT_MODELLED = (
    ("the engine is placed alone (out of context): no pins, no other logic, the whole chip to spread over; paths from "
    "and to its ports are not counted"),
    "the clock's net begins outside and is not routed, and its skew is taken as none",
    ("nextpnr knows the delay of a multiplier without registers and of a block RAM up to its output; of what lies "
    "between the registers inside such a block it knows nothing, and the netlist uses none of them"),
    "one temperature and voltage, the worst of the speed grade's published delays; jitter is not taken off",
)


@dataclass(frozen=True, kw_only=True)
class Step:
    """One piece of a path: through a cell or along a net."""

    kind: str
    """`logic`, `routing`, `clk-to-q` or `setup`."""
    delay_ns: float
    through: str
    """The cell, or the net."""


@dataclass(frozen=True, kw_only=True)
class Timing:
    """What nextpnr found."""

    fmax_mhz: float
    path: tuple[Step, ...]
    """The path that limits it."""

    @property
    def start(self) -> str:
        """The register or memory the path comes from."""
        return self.path[0].through if self.path else ""

    @property
    def end(self) -> str:
        """The register or memory it goes to."""
        return self.path[-1].through if self.path else ""

    @property
    def routing_ns(self) -> float:
        """The part of the path that is wires."""
        return sum(step.delay_ns for step in self.path if step.kind == "routing")

    @property
    def path_ns(self) -> float:
        """The whole path."""
        return sum(step.delay_ns for step in self.path)


def run_nextpnr(folder: Path, target_mhz: float, seed: int, say: Callable[[str], None]) -> Metering:
    """Place and route `netlist.json` in `folder` on an ECP5-85k of speed 8, out of context.

    Leaves `timing.json` and `nextpnr.log` there. Raises `ToolError` if nextpnr is missing or fails, as when the
    engine does not fit.
    """
    log = folder / LOG_NAME

    def watch() -> None:
        try:
            say(f"nextpnr: {_phase(log.read_text())}")
        except OSError:
            return

    # The placer `static` makes the wires of an engine a quarter shorter than the default, `heap`, which also leaves
    # single multipliers of an array far from the others.
    return run_wheel(
        toolchain.nextpnr_ecp5(), "run_nextpnr_ecp5",
        ("--85k", "--package", "CABGA756", "--speed", "8", "--out-of-context", "--json", NETLIST_NAME,
         "--freq", f"{target_mhz:g}", "--timing-allow-fail", "--placer", "static", "--seed", str(seed),
         "--report", REPORT_NAME, "--log", LOG_NAME, "-q"),
        task="place and route the engine on an ECP5", folder=folder, watch=watch)


def read_timing(report: Mapping[str, Any]) -> Timing:
    """The slowest clock of a report of nextpnr and the path that limits it."""
    fmax = report["fmax"]
    # The flow is synchronous to one clock; nextpnr names it after its net.
    clock = min(fmax, key=lambda name: fmax[name]["achieved"])
    path = next((path["path"] for path in report["critical_paths"]
                 if path["from"].split()[-1] == clock and path["to"].split()[-1] == clock), ())
    return Timing(fmax_mhz=fmax[clock]["achieved"], path=tuple(
        Step(kind=step["type"], delay_ns=step["delay"],
             through=step["net"] if step["type"] == "routing" else step["to"]["cell"]) for step in path))


def load_timing(folder: Path) -> Timing:
    """What `run_nextpnr` left in `folder`."""
    return read_timing(json.loads((folder / REPORT_NAME).read_text()))


def _phase(log: str) -> str:
    """What nextpnr is at, in its own words."""
    heads = re.findall(r"^Info: (Packing|Placed|Running|Routing|Critical path report|Generating|Creating).*", log,
                       re.MULTILINE)
    words = {"Packing": "packing", "Generating": "packing", "Creating": "placing", "Placed": "placing",
             "Running": "refining the placement", "Routing": "routing", "Critical path report": "timing"}
    return words[heads[-1]] if heads else "reading"
