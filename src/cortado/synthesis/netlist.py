"""What yosys made: cells counted by kind and by owner, and the longest path between registers in levels of logic."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict, deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cortado.synthesis.family import Family
from cortado.synthesis.tool_log import module_lines

# The file that yosys reads.
VERILOG_NAME = "engine.v"
TOP_OWNER = "(top)"
_SCOPE = "$scopeinfo"
# What yosys puts before the name of a cell it found in a submodule.
_FLATTENED = "$flatten\\"
_NO_REGISTER = {"NONE", "0"}
_DSP_REGISTERS = ("AREG", "BREG", "MREG", "PREG", "REG_INPUTA_CLK", "REG_INPUTB_CLK", "REG_PIPELINE_CLK",
                  "REG_OUTPUT_CLK")


@dataclass(frozen=True, kw_only=True)
class Usage:
    """How much of an FPGA a design takes."""

    dsp: int
    luts: int
    lut_ram: int
    """LUTs used as memory; not part of `luts`."""
    registers: int
    block_ram: int
    """Halves of 18 Kbit."""
    dsp_by_owner: Mapping[str, int]
    block_ram_by_owner: Mapping[str, int]
    cells: Mapping[str, int]
    """Every cell by its type, in the family's own words."""


@dataclass(frozen=True, kw_only=True)
class LongestPath:
    """The most levels of logic from a register, a block RAM or a port to the next."""

    levels: int
    """LUTs, carry chains, memories read at once and DSPs without registers; muxes within a slice are free."""
    start: str
    end: str


class Netlist:
    """The flat netlist of `top` in a family's cells, as yosys writes it to JSON.

    A unit is a submodule at most `depth` levels below the top. `verilog` is the text the netlist was made from: a cell
    that yosys made up is told to a unit by the line it comes from.
    """

    def __init__(self, path: Path, top: str, family: Family, *, verilog: str, depth: int = 1) -> None:
        module = json.loads(path.read_text())["modules"][top]
        self._family = family
        self._ports: dict[str, Any] = module["ports"]
        self._names: dict[str, Any] = module["netnames"]
        self._depth = depth
        self._modules = [(first, last, name.removeprefix(top).removeprefix("."))
                         for name, first, last in module_lines(verilog)]
        self._units = {_first(name, depth) for _, _, name in self._modules if name}
        self._cells = {name: cell for name, cell in module["cells"].items() if cell["type"] != _SCOPE}

    @property
    def cells(self) -> Counter[str]:
        """Number of cells of each type."""
        return Counter(cell["type"] for cell in self._cells.values())

    def usage(self) -> Usage:
        """Everything counted."""
        family, cells = self._family, self.cells
        return Usage(
            dsp=sum(cells[name] for name in family.dsp),
            luts=_weigh(cells, family.luts), lut_ram=_weigh(cells, family.lut_ram),
            registers=sum(cells[name] for name in family.registers), block_ram=_weigh(cells, family.block_ram),
            dsp_by_owner=self._owned(dict.fromkeys(family.dsp, 1)), block_ram_by_owner=self._owned(family.block_ram),
            cells=dict(sorted(cells.items())))

    def owner(self, cell: str) -> str:
        """The unit, `a.b` from the top, that a cell was made for, by its name or else by its line."""
        named = self._unit(".".join(part.removeprefix("\\") for part in cell.removeprefix(_FLATTENED).split(".")))
        return named or self._unit(self._module_of(cell)) or TOP_OWNER

    def _unit(self, path: str) -> str:
        """The unit that a path `a.b.c` leads to, or nothing."""
        return next((unit for depth in range(self._depth, 0, -1) if (unit := _first(path, depth)) in self._units), "")

    def _module_of(self, cell: str) -> str:
        """The path of the module in which the first line of ours stands that made a cell."""
        lines = re.findall(rf"(?:^|\|){VERILOG_NAME}:(\d+)\.", self._cells[cell]["attributes"].get("src", ""))
        return next((name for line in lines for first, last, name in self._modules if first <= int(line) <= last), "")

    def longest_path(self) -> LongestPath:
        """The longest path, counted over single bits; loops, of which `check` knows, are left out."""
        arcs: dict[int, list[tuple[int, int]]] = defaultdict(list)
        waits: Counter[int] = Counter()
        for cell in self._cells.values():
            for source, target, levels in self._arcs(cell):
                arcs[source].append((target, levels))
                waits[target] += 1
        depth: dict[int, int] = {bit: 0 for bit in arcs if not waits[bit]}
        before: dict[int, int] = {}
        ready = deque(depth)
        while ready:
            bit = ready.popleft()
            for target, levels in arcs.get(bit, ()):
                if depth[bit] + levels >= depth.get(target, -1):
                    depth[target], before[target] = depth[bit] + levels, bit
                waits[target] -= 1
                if not waits[target]:
                    ready.append(target)
        if not depth:
            return LongestPath(levels=0, start="", end="")
        last = first = max(depth, key=lambda bit: (not waits[bit], depth[bit]))
        while first in before:
            first = before[first]
        return LongestPath(levels=depth[last], start=self._net(first), end=self._end(last))

    def _owned(self, weights: Mapping[str, int]) -> dict[str, int]:
        owned: Counter[str] = Counter()
        for name, cell in self._cells.items():
            if cell["type"] in weights:
                owned[self.owner(name)] += weights[cell["type"]]
        return dict(sorted(owned.items(), key=lambda item: (-item[1], item[0])))

    def _arcs(self, cell: Mapping[str, Any]) -> Iterator[tuple[int, int, int]]:
        """From bit to bit through one cell, with the levels it adds."""
        kind, wires = cell["type"], cell["connections"]
        if kind == "CCU2C":
            yield from _both(wires, ("A0", "B0", "C0", "D0"), ("S0", "COUT", "S1"), 1)
            yield from _both(wires, ("A1", "B1", "C1", "D1"), ("S1", "COUT"), 1)
            yield from _both(wires, ("CIN",), ("S0", "S1", "COUT"), 0)
        elif kind == "CARRY4":
            yield from _both(wires, ("CI", "CYINIT"), ("O", "CO"), 0)
            for low in range(4):
                sources = [wires[port][low] for port in ("DI", "S") if port in wires]
                targets = [bit for port in ("O", "CO") for bit in wires.get(port, ())[low:]]
                yield from _pairs(sources, targets, 1)
        elif kind in self._family.lut_ram:
            outputs = [port for port, direction in cell["port_directions"].items() if direction == "output"]
            for port in outputs:
                # RAM32M reads DOA at ADDRA; other memories have one address to read at.
                address = (f"ADDR{port[-1]}",) if f"ADDR{port[-1]}" in wires else ("RAD", "DPRA", "A")
                yield from _both(wires, address, (port,), 1)
        elif kind in self._family.luts or kind in self._family.muxes or self._is_open_dsp(cell):
            levels = 0 if kind in self._family.muxes else 1
            directions = cell["port_directions"]
            yield from _both(wires, [port for port, way in directions.items() if way == "input"],
                             [port for port, way in directions.items() if way == "output"], levels)

    def _is_open_dsp(self, cell: Mapping[str, Any]) -> bool:
        """Whether a DSP has no register between its factors and its product."""
        parameters = cell["parameters"]
        return cell["type"] in self._family.dsp and all(
            str(parameters.get(name, "0")).lstrip("0") in ("", *_NO_REGISTER) for name in _DSP_REGISTERS)

    def _end(self, bit: int) -> str:
        """What takes the bit at the end of a path: a register by the name of its output, else a port or a cell."""
        for name, cell in self._cells.items():
            if not any(bit in bits for port, bits in cell["connections"].items()
                       if cell["port_directions"][port] == "input"):
                continue
            if cell["type"] in self._family.registers:
                return self._net(cell["connections"]["Q"][0])
            if not any(True for _ in self._arcs(cell)):
                return name
        return self._net(bit)

    def _net(self, bit: int) -> str:
        """The shortest name of a bit, for it is the one a person gave."""
        names = [(name, net["bits"].index(bit)) for name, net in self._names.items() if bit in net["bits"]]
        if not names:
            return "?"
        name, index = min(names, key=lambda entry: ("$" in entry[0], len(entry[0]), entry[0]))
        return f"{name}[{index}]" if len(self._names[name]["bits"]) > 1 else name


def _first(path: str, parts: int) -> str:
    """The first parts of a path `a.b.c`."""
    return ".".join(path.split(".")[:parts])


def _weigh(cells: Counter[str], weights: Mapping[str, int]) -> int:
    return sum(cells[name] * weight for name, weight in weights.items())


def _both(wires: Mapping[str, list], sources: Any, targets: Any, levels: int) -> Iterator[tuple[int, int, int]]:
    yield from _pairs([bit for port in sources for bit in wires.get(port, ())],
                      [bit for port in targets for bit in wires.get(port, ())], levels)


def _pairs(sources: list, targets: list, levels: int) -> Iterator[tuple[int, int, int]]:
    """Every source with every target; constants, which are texts, are no part of a path."""
    for target in targets:
        for source in sources:
            if isinstance(source, int) and isinstance(target, int):
                yield source, target, levels
