"""What `cortado generate --board` adds to a bundle: the files a hardware engineer needs next."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import jinja2

from cortado import __version__
from cortado.boards import ip_xact
from cortado.boards.board import Board
from cortado.boards.check import faults
from cortado.boards.serial_top import SerialTop
from cortado.engines.design import Design
from cortado.errors import ConfigurationError, CortadoError
from cortado.gateware.axi_engine import CONTROL_PREFIX, MEMORY_PREFIX
from cortado.simulation.verilog import to_verilog

TEMPLATES = Path(__file__).with_name("templates")
TOP_NAME = "top"


@dataclass(frozen=True, kw_only=True)
class BoardFile:
    """One file, what it is, and how far it could be checked."""

    name: str
    says: str
    checked: str


COMPONENT = BoardFile(name="component.xml", says="IP-XACT (IEEE 1685-2014): buses, registers, ports",
                      checked="it parses, its ports are those of engine.v; no tool has imported it")
CORE = BoardFile(name="engine.core", says="FuseSoC core", checked="its files are there; FuseSoC has not run it")
PROCESSOR_FILES = (
    COMPONENT, CORE,
    BoardFile(name="package_ip.tcl", says="packs the engine for Vivado",
              checked="braces match, its files are there; Vivado has not run it"),
    BoardFile(name="engine.xdc", says="constraints, a skeleton", checked="Vivado has not read it"),
)
SERIAL_FILES = (
    COMPONENT, CORE,
    BoardFile(name="top.v", says="the engine with block RAM and a serial line", checked="no tool has read it"),
    BoardFile(name="top.lpf", says="pins and clock", checked="its ports are those of top.v; nextpnr has not read it"),
    BoardFile(name="Makefile", says="yosys, nextpnr and ecppack, to a bitstream", checked="not run"),
)


@dataclass(frozen=True, kw_only=True)
class BoardPackage:
    """An engine for a board.

    Raises `ConfigurationError` where the engine cannot go on it.
    """

    board: Board
    design: Design

    def __post_init__(self) -> None:
        board, design = self.board, self.design
        if design.multipliers > board.multipliers:
            raise ConfigurationError(f"board '{board.name}': the engine must have at most the {board.multipliers} "
                                     f"multipliers of {board.part}, not {design.multipliers}; take a smaller one "
                                     "(--engine m=2,pc=1,pk=1)")
        if design.beat_bits > board.port_bits:
            raise ConfigurationError(f"board '{board.name}': the memory port must be at most {board.port_bits} bits "
                                     f"wide, not {design.beat_bits}; take --engine beat_bits={board.port_bits}")

    @property
    def files(self) -> tuple[BoardFile, ...]:
        """Every file but BOARD.md, which lists them."""
        return SERIAL_FILES if self.board.is_serial else PROCESSOR_FILES

    def write(self, bundle: Path, manifest: Mapping[str, Any]) -> None:
        """Write the files into the folder of a bundle.

        Raises `ConfigurationError` when the jobs of the bundle take more memory than the board has.
        """
        board = self.board
        places = [place for job in manifest["jobs"] for place in job["memory"].values()]
        end = max(place["address"] + place["bytes"] for place in places)
        if end > board.memory_bytes:
            raise ConfigurationError(f"board '{board.name}': the jobs must lie within {board.memory_bytes} bytes of "
                                     f"memory, not {end}; take a smaller batch or keep layers on the host (--host)")
        names = manifest["verilog"]["ports"]
        values = {
            **manifest, "board": board, "version": __version__, "files": self.files,
            "beat_bits": self.design.beat_bits,
            "place_and_route": json.dumps(board.place_and_route),
            "control_ports": [name for name in names if name.startswith(CONTROL_PREFIX)],
            "memory_ports": [name for name in names if name.startswith(MEMORY_PREFIX)],
            "first_address": f"{min(place['address'] for place in places):#x}", "last_address": f"{end - 1:#x}",
        }
        (bundle / COMPONENT.name).write_text(ip_xact.component(manifest, __version__))
        for name in ("BOARD.md", *(file.name for file in self.files)):
            if (TEMPLATES / f"{name}.j2").is_file():
                (bundle / name).write_text(self._environment.get_template(f"{name}.j2").render(values))
        if board.is_serial:
            (bundle / "top.v").write_text(to_verilog(self._top(), TOP_NAME))
        found = faults(bundle, manifest["verilog"]["top"])
        if found:
            raise CortadoError(f"board '{board.name}': the files must agree with the Verilog; {'; '.join(found)}")

    def _top(self) -> SerialTop:
        return SerialTop(self.design.component(), beat_bits=self.design.beat_bits,
                         memory_bytes=self.board.memory_bytes,
                         divisor=round(self.board.clock_mhz * 1e6 / self.board.baud))

    @cached_property
    def _environment(self) -> jinja2.Environment:
        environment = jinja2.Environment(loader=jinja2.FileSystemLoader(TEMPLATES), undefined=jinja2.StrictUndefined,
                                         trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True)
        environment.filters["brace"] = lambda text: f"{{{text}}}"
        return environment
