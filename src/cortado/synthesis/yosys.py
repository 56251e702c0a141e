"""Yosys: from an engine's Verilog to a netlist of a family's cells."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from cortado.simulation import toolchain
from cortado.synthesis.family import Family
from cortado.synthesis.meter import Metering
from cortado.synthesis.netlist import VERILOG_NAME
from cortado.synthesis.wheel import run_wheel

NETLIST_NAME = "netlist.json"
LOG_NAME = "yosys.log"
_SCRIPT_NAME = "synth.ys"

# Before anything is mapped, on cells of which yosys knows every path from input to output: a latch, a combinational
# loop, a net with two drivers or none ends the run here.
_CHECKS = """\
read_verilog {verilog}
hierarchy -check -top {top}
proc
flatten
opt_clean
select -assert-none t:$dlatch t:$adlatch t:$dlatchsr t:$sr
check -assert
"""


def script(family: Family, top: str) -> str:
    """The yosys script that checks `engine.v`, maps it to the family, and writes the netlist."""
    return (_CHECKS.format(verilog=VERILOG_NAME, top=top)
            + "".join(f"{line.format(top=top)}\n" for line in family.script)
            + f"check -assert\nwrite_json {NETLIST_NAME}\n")


def run_yosys(folder: Path, family: Family, top: str, say: Callable[[str], None]) -> Metering:
    """Make the netlist of `engine.v` in `folder`; `say` hears which pass runs.

    Leaves `netlist.json` and `yosys.log` there. Raises `ToolError` if yosys is missing, fails, or finds a latch or a
    loop.
    """
    (folder / _SCRIPT_NAME).write_text(script(family, top))
    log = folder / LOG_NAME

    def watch() -> None:
        if passes := re.findall(r"^[\d.]+ Executing (\S+) pass", _end_of(log), re.MULTILINE):
            say(f"yosys: {passes[-1].lower()}")

    return run_wheel(toolchain.yosys(), "run_yosys", ("-q", "-l", LOG_NAME, "-s", _SCRIPT_NAME), folder=folder,
                     task=f"synthesise the engine for {family.name}", watch=watch)


def _end_of(log: Path, characters: int = 20_000) -> str:
    """The last part of a log that is being written."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - characters))
            return file.read().decode(errors="replace")
    except OSError:
        return ""
