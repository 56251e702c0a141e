"""What yosys and nextpnr print: warnings, each with the reason it may stand or none, and where memories went."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

_WARNING = re.compile(r"^(?:\w+: )?(?:\w+ )?[Ww]arning: (.*)$", re.MULTILINE)

# Warnings that change nothing, by a pattern of their whole text, and why. Any other warning fails the synthesis.
ALLOWED: tuple[tuple[str, str], ...] = (
    (r"The SystemVerilog keyword `bit' \(at /share/abc9_map\.v:\d+\) is not recognized.*",
     "yosys warns of a name in a file of its own, which is Verilog and means no keyword"),
    (r"Resizing cell port \S+\.ADDR(ARD|BWR)ADDR from 16 bits to 14 bits\.",
     ("yosys's own map connects the sixteen address bits of a RAMB36E2 to the RAMB18E2 it chose, which has the lower "
     "fourteen of them; the memory's address is in these")),
    (r"Max frequency for clock +'\S+': [\d.]+ MHz \(FAIL at [\d.]+ MHz\)",
     "the target only tells nextpnr how hard to try; what it reaches is the report's Fmax"),
)

_MAPPED = re.compile(r"^mapping memory (\S+) via (\S+)$", re.MULTILINE)
_TO_REGISTERS = re.compile(r"^Mapping memory \\(\S+) in module \\(\S+):$", re.MULTILINE)
# A memory of the Verilog that cortado writes, and the module it stands in.
_MODULE = re.compile(r"^module (\S+) ?\(.*?^endmodule", re.MULTILINE | re.DOTALL)
_MEMORY = re.compile(r"^  reg (?:signed )?(?:\[(\d+):0\] )?(\S+) ?\[(\d+):0\];$", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class Warnings:
    """The different warnings of a tool."""

    allowed: tuple[tuple[str, str], ...]
    """Each with the reason why it may stand."""
    others: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class MappedMemory:
    """A memory and what it became."""

    name: str
    """`unit.memory`."""
    words: int
    bits: int
    """Of one word."""
    kind: str
    """`block RAM`, `LUT RAM` or `registers`."""


def find_warnings(log: str) -> Warnings:
    """Every warning of a log once, in the order they come; warnings with one reason count as one."""
    allowed: dict[str, str] = {}
    others: dict[str, None] = {}
    for text in _WARNING.findall(log):
        reason = next((reason for pattern, reason in ALLOWED if re.fullmatch(pattern, text)), None)
        if reason is None:
            others[text] = None
        elif reason not in allowed.values():
            allowed[text] = reason
    return Warnings(allowed=tuple(allowed.items()), others=tuple(others))


def find_memories(log: str, verilog: str, top: str) -> tuple[MappedMemory, ...]:
    """Where yosys put each memory of `verilog`, in the order of their names.

    A memory that yosys took apart or removed, because nothing reads it, is not among them.
    """
    sizes = memory_sizes(verilog, top)
    kinds = {_without_top(name, top): _kind(cell) for name, cell in _MAPPED.findall(log)}
    kinds |= {_without_top(f"{module}.{name}", top): "registers" for name, module in _TO_REGISTERS.findall(log)}
    return tuple(MappedMemory(name=name, words=sizes[name][0], bits=sizes[name][1], kind=kind)
                 for name, kind in sorted(kinds.items()) if name in sizes)


def memory_sizes(verilog: str, top: str) -> dict[str, tuple[int, int]]:
    """Words and bits of a word of every memory of a Verilog text by `unit.memory`."""
    sizes = {}
    for module in _MODULE.finditer(verilog):
        for width, name, last in _MEMORY.findall(module.group()):
            path = _without_top(f"{_plain(module.group(1))}.{_plain(name)}", top)
            sizes[path] = int(last) + 1, int(width or 0) + 1
    return sizes


def module_lines(verilog: str) -> list[tuple[str, int, int]]:
    """Each module of a Verilog text with its first and last line."""
    found, start, line = [], 0, 1
    for module in _MODULE.finditer(verilog):
        line += verilog.count("\n", start, module.start())
        last = line + module.group().count("\n")
        found.append((_plain(module.group(1)), line, last))
        start, line = module.end(), last
    return found


def summary(memories: Iterable[MappedMemory]) -> dict[tuple[str, int, int, str], int]:
    """How many memories are alike: `unit.name` with `*` for its numbers, words, bits and kind."""
    counts: dict[tuple[str, int, int, str], int] = {}
    for memory in memories:
        key = re.sub(r"\d+(?:_\d+)*", "*", memory.name), memory.words, memory.bits, memory.kind
        counts[key] = counts.get(key, 0) + 1
    return counts


def _kind(cell: str) -> str:
    return "block RAM" if re.search(r"BLOCKRAM|16KD|URAM", cell) else "LUT RAM"


def _plain(name: str) -> str:
    return name.removeprefix("\\")


def _without_top(name: str, top: str) -> str:
    return name.removeprefix(f"{top}.")
