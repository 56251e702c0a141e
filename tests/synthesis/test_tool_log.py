"""Reading what yosys and nextpnr print."""

from __future__ import annotations

from cortado.synthesis.tool_log import (
    ALLOWED,
    MappedMemory,
    find_memories,
    find_warnings,
    memory_sizes,
    module_lines,
    summary,
)

VERILOG = """\
module engine(clk, a);
  input clk;
endmodule

module \\engine.unit (clk);
  reg [29:0] sums_0_1 [255:0];
  reg [29:0] sums_1_0 [255:0];
  reg \\flags$2 [7:0];
  reg [3:0] no_memory;
endmodule
"""

YOSYS = """\
2.18. Executing MEMORY_LIBMAP pass (mapping memories to cells).
mapping memory engine.unit.sums_0_1 via $__PDPW16KD_
mapping memory engine.unit.sums_1_0 via $__TRELLIS_DPR16X4_
<suppressed ~23011 debug messages>
2.20. Executing MEMORY_MAP pass (converting memories to logic and flip-flops).
Mapping memory \\unit.flags$2 in module \\engine:
  created 8 $dff cells and 0 static cells of width 1.
Lexer warning: The SystemVerilog keyword `bit' (at /share/abc9_map.v:35) is not recognized unless read_verilog is called with -sv!
Warning: Resizing cell port engine.unit.sums_0_1.0.0.ADDRBWRADDR from 16 bits to 14 bits.
Warning: Resizing cell port engine.unit.sums_0_1.0.0.ADDRARDADDR from 16 bits to 14 bits.
Warning: Wire engine.\\x is used but has no driver.
Warning: Wire engine.\\x is used but has no driver.
"""  # noqa: E501

NEXTPNR = """\
Info: Max frequency for clock 'clk': 43.01 MHz (FAIL at 150.00 MHz)
Warning: Max frequency for clock 'clk': 59.93 MHz (FAIL at 150.00 MHz)
Warning: something about the netlist
1 warning, 0 errors
"""


def test_warnings_of_yosys_and_their_reasons():
    found = find_warnings(YOSYS)
    assert [text.split()[0] for text, _ in found.allowed] == ["The", "Resizing"]
    assert [reason for _, reason in found.allowed] == [ALLOWED[0][1], ALLOWED[1][1]]
    assert found.others == ("Wire engine.\\x is used but has no driver.",)


def test_warnings_of_nextpnr():
    found = find_warnings(NEXTPNR)
    assert [text for text, _ in found.allowed] == ["Max frequency for clock 'clk': 59.93 MHz (FAIL at 150.00 MHz)"]
    assert found.others == ("something about the netlist",)


def test_a_reason_covers_nothing_but_its_own_warning():
    assert find_warnings("Warning: Resizing cell port engine.a.DIADI from 16 bits to 14 bits.\n").others != ()


def test_memories_and_what_became_of_them():
    assert find_memories(YOSYS, VERILOG, "engine") == (
        MappedMemory(name="unit.flags$2", words=8, bits=1, kind="registers"),
        MappedMemory(name="unit.sums_0_1", words=256, bits=30, kind="block RAM"),
        MappedMemory(name="unit.sums_1_0", words=256, bits=30, kind="LUT RAM"))


def test_memories_that_are_alike_are_told_together():
    alike = [MappedMemory(name=f"unit.sums_{k}_{n}", words=256, bits=30, kind="block RAM")
             for k in range(2) for n in range(16)]
    assert summary(alike) == {("unit.sums_*", 256, 30, "block RAM"): 32}


def test_memories_of_a_text():
    assert memory_sizes(VERILOG, "engine") == {"unit.sums_0_1": (256, 30), "unit.sums_1_0": (256, 30),
                                               "unit.flags$2": (8, 1)}


def test_modules_have_their_lines():
    assert module_lines(VERILOG) == [("engine", 1, 3), ("engine.unit", 5, 10)]
