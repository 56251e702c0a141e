"""One engine synthesised for one family, and placed and routed where there is a tool for it; kept in the cache."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from cortado.engines.design import Design
from cortado.errors import CacheError, ConfigurationError
from cortado.simulation import toolchain
from cortado.simulation.build import build_verilog
from cortado.simulation.cache import cached, digest
from cortado.simulation.verilog import TOP_NAME, to_verilog
from cortado.synthesis import nextpnr, yosys
from cortado.synthesis.family import Family, families
from cortado.synthesis.meter import Metering
from cortado.synthesis.netlist import VERILOG_NAME, LongestPath, Netlist, Usage
from cortado.synthesis.nextpnr import Timing
from cortado.synthesis.tool_log import MappedMemory, Warnings, find_memories, find_warnings

# A memory from this size on must be block RAM: a quarter of the smallest there is.
BLOCK_RAM_BITS = 4096
# A memory beyond this size may not become registers.
REGISTER_BITS = 512

TARGET_MHZ = 150.0
SEED = 1

_FIGURES_NAME = "figures.json"
_SAVED = (VERILOG_NAME, yosys.NETLIST_NAME, yosys.LOG_NAME, nextpnr.REPORT_NAME, nextpnr.LOG_NAME)
# Meter of each tool under its own name, for both run in the same way.
_METERS = {"yosys": "yosys.meter.json", "nextpnr": "nextpnr.meter.json"}


@dataclass(frozen=True, kw_only=True)
class Run:
    """One tool, its version and what its run took, on the day it ran."""

    tool: str
    version: str
    metering: Metering


@dataclass(frozen=True, kw_only=True)
class Synthesis:
    """What an engine takes of an FPGA, and how fast it is; everything the tools found."""

    design: Design
    family: Family
    usage: Usage
    memories: tuple[MappedMemory, ...]
    longest_path: LongestPath
    warnings: Warnings
    timing: Timing | None
    """Only after place and route."""
    target_mhz: float | None
    seed: int | None
    runs: tuple[Run, ...]
    folders: tuple[Path, ...]
    """Where the files of each tool are, in the cache."""

    @property
    def other_dsp(self) -> dict[str, int]:
        """DSPs outside the multiplier array, by the unit they serve."""
        return {owner: count for owner, count in self.usage.dsp_by_owner.items()
                if owner != self.design.multiplier_unit}

    @property
    def dsp_per_product(self) -> float:
        """DSPs in the multiplier array for each product it makes in a cycle."""
        return self.usage.dsp_by_owner.get(self.design.multiplier_unit, 0) / self.design.multipliers

    @property
    def one_dsp_is_enough(self) -> bool:
        """Whether a DSP of the family is wide enough for a product."""
        return all(need <= has for need, has in zip(sorted(self.design.factor_bits, reverse=True),
                                                    self.family.dsp_bits, strict=True))

    @property
    def faults(self) -> tuple[str, ...]:
        """What must hold and does not, in words; none in an engine as it should be."""
        return (*self._dsp_faults(), *self._memory_faults(),
                *(f"a warning that nobody has given a reason for: {text}" for text in self.warnings.others))

    def _dsp_faults(self) -> tuple[str, ...]:
        if self.dsp_per_product == 1 or not self.one_dsp_is_enough:
            return ()
        unit, multipliers = self.design.multiplier_unit, self.design.multipliers
        return ((f"{unit} must have one DSP for each of {multipliers} products, not "
                f"{self.usage.dsp_by_owner.get(unit, 0)} DSPs"),)

    def _memory_faults(self) -> tuple[str, ...]:
        return tuple(
            f"memory {memory.name} of {memory.words} x {memory.bits} bits must be "
            f"{'block RAM' if memory.words * memory.bits >= BLOCK_RAM_BITS else 'a memory'}, not {memory.kind}"
            for memory in self.memories
            if (memory.words * memory.bits >= BLOCK_RAM_BITS and memory.words > 64 and memory.kind != "block RAM")
            or (memory.words * memory.bits > REGISTER_BITS and memory.kind == "registers"))


def synthesise(design: Design, family: Family, *, place_and_route: bool = False, target_mhz: float = TARGET_MHZ,
               seed: int = SEED, say: Callable[[str], None] = lambda words: None) -> Synthesis:
    """Synthesise a design for a family, and place and route it if asked; what the cache has is not run again.

    `target_mhz` is the clock nextpnr tries to reach, `seed` where its placement starts. `say` hears what goes on.
    Raises `ConfigurationError` for place and route on a family without a tool for it, `ToolError` if a tool is
    missing, fails, or finds a latch or a combinational loop.
    """
    if place_and_route and not family.has_place_and_route:
        able = ", ".join(name for name in families if families[name].has_place_and_route)
        raise ConfigurationError(f"family '{family.name}': must be {able} for place and route, for which alone there "
                                 "is an open tool; leave --pnr out for what synthesis finds")
    for tool in (toolchain.yosys(), *((toolchain.nextpnr_ecp5(),) if place_and_route else ())):
        tool.require()
    say("making the engine's Verilog")
    verilog = build_verilog(design.configuration_hash, lambda: to_verilog(design.component()))
    folders = [_synthesised(verilog, family, depth=len(design.multiplier_unit.split(".")), say=say)]
    figures = json.loads((folders[0] / _FIGURES_NAME).read_text())
    runs, timing = [_run(toolchain.yosys(), folders[0] / _METERS["yosys"])], None
    if place_and_route:
        folders.append(_placed(folders[0], family, target_mhz, seed, say))
        timing = nextpnr.load_timing(folders[1])
        runs.append(_run(toolchain.nextpnr_ecp5(), folders[1] / _METERS["nextpnr"]))
        figures["warnings"] = _joined(figures["warnings"], find_warnings((folders[1] / nextpnr.LOG_NAME).read_text()))
    return Synthesis(
        design=design, family=family, usage=Usage(**figures["usage"]),
        memories=tuple(MappedMemory(**memory) for memory in figures["memories"]),
        longest_path=LongestPath(**figures["longest_path"]),
        warnings=Warnings(allowed=tuple(map(tuple, figures["warnings"]["allowed"])),
                          others=tuple(figures["warnings"]["others"])),
        timing=timing, target_mhz=target_mhz if place_and_route else None, seed=seed if place_and_route else None,
        runs=tuple(runs), folders=tuple(folders))


def save(synthesis: Synthesis, folder: Path, report: str) -> None:
    """Copy Verilog, netlist, logs and timing to `folder`, and the report, a JSON text, as `report.json`.

    Raises `CacheError` if the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for source in synthesis.folders:
            for path in source.iterdir():
                if path.name in _SAVED:
                    shutil.copyfile(path, folder / path.name)
        (folder / "report.json").write_text(report)
    except OSError as error:
        raise CacheError(f"folder '{folder}': must be one that can be written, not refuse with '{error.strerror}'"
                         ) from error


def _synthesised(verilog: Path, family: Family, *, depth: int, say: Callable[[str], None]) -> Path:
    """The cache entry with the netlist of a Verilog file and the figures of its units down to `depth`."""

    def build(folder: Path) -> None:
        shutil.copyfile(verilog, folder / VERILOG_NAME)
        say(f"yosys: synthesis for {family.name}")
        metering = yosys.run_yosys(folder, family, TOP_NAME, say)
        _keep_meter(folder, "yosys", metering)
        say("counting cells")
        text = verilog.read_text()
        netlist = Netlist(folder / yosys.NETLIST_NAME, TOP_NAME, family, verilog=text, depth=depth)
        log = (folder / yosys.LOG_NAME).read_text()
        (folder / _FIGURES_NAME).write_text(json.dumps({
            "usage": asdict(netlist.usage()), "longest_path": asdict(netlist.longest_path()),
            "memories": [asdict(memory) for memory in find_memories(log, text, TOP_NAME)],
            "warnings": asdict(find_warnings(log))}))

    return cached("netlist", digest(verilog, family.name, str(depth), yosys.script(family, TOP_NAME),
                                    str(toolchain.yosys().version), *_sources()), build)


def _placed(netlist: Path, family: Family, target_mhz: float, seed: int, say: Callable[[str], None]) -> Path:
    """The cache entry with what place and route made of a netlist."""

    def build(folder: Path) -> None:
        shutil.copyfile(netlist / yosys.NETLIST_NAME, folder / yosys.NETLIST_NAME)
        say("nextpnr: starting")
        _keep_meter(folder, "nextpnr", nextpnr.run_nextpnr(folder, target_mhz, seed, say))
        # It is in the entry of the synthesis, and large.
        (folder / yosys.NETLIST_NAME).unlink()

    return cached("placement", digest(netlist.name, family.name, f"{target_mhz:g}", str(seed),
                                      str(toolchain.nextpnr_ecp5().version), *_sources()), build)


def _sources() -> list[Path]:
    """What figures are made by: another program may find others."""
    return sorted(Path(__file__).parent.glob("*.py"))


def _keep_meter(folder: Path, tool: str, metering: Metering) -> None:
    (folder / _METERS[tool]).write_text(json.dumps(asdict(metering)))


def _run(tool: toolchain.Tool, meter: Path) -> Run:
    return Run(tool=tool.name, version=tool.version or "", metering=Metering.read(meter))


def _joined(first: Mapping[str, Any], second: Warnings) -> dict[str, Any]:
    return {"allowed": [*first["allowed"], *second.allowed], "others": [*first["others"], *second.others]}
