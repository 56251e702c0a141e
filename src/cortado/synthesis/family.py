"""FPGA families: how yosys maps onto each, and what its cells count as."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from cortado.registry import Registry


@dataclass(frozen=True, kw_only=True)
class Family:
    """One FPGA family as yosys knows it."""

    name: str
    title: str
    script: tuple[str, ...]
    """yosys commands from a flat design of generic cells to the family's; `{top}` is its top module."""
    dsp: frozenset[str]
    """Cells that are one DSP."""
    dsp_bits: tuple[int, int]
    """Widths of the signed factors that one DSP multiplies, the wider first."""
    block_ram: Mapping[str, int]
    """Cells that are block RAM, and how many halves of 18 Kbit each has."""
    lut_ram: Mapping[str, int]
    """Cells that use LUTs as memory, and how many LUTs each."""
    luts: Mapping[str, int]
    """Cells that are logic, and how many LUTs each."""
    registers: frozenset[str]
    muxes: frozenset[str] = field(default=frozenset())
    """Cells between LUTs that cost none: they join the outputs of a slice."""
    has_place_and_route: bool = False


families: Registry[Family] = Registry("FPGA family")


def _xilinx(name: str, title: str, dsp: str, dsp_bits: tuple[int, int], generation: int) -> Family:
    flow = f"synth_xilinx -family {name} -top {{top}} -flatten -noiopad"
    return families.register(name)(Family(
        name=name, title=title,
        # In three parts: names with brackets, as Amaranth makes them, stop abc9 (yosys issue 4349), so nets are split
        # into bits with other names before it runs.
        script=(f"{flow} -run :map_luts", "splitnets -format _", f"{flow} -run map_luts:"),
        dsp=frozenset({dsp}), dsp_bits=dsp_bits,
        block_ram={f"RAMB18E{generation}": 1, f"RAMB36E{generation}": 2},
        lut_ram={"RAM32M": 4, "RAM64M": 4, "RAM32M16": 8, "RAM64M8": 8, "RAM32X1D": 2, "RAM64X1D": 2, "RAM128X1D": 4,
                 "RAM256X1D": 8, "SRL16E": 1, "SRLC32E": 1},
        # An inverter is absorbed by a LUT next to it, as in yosys's own estimate.
        luts={f"LUT{inputs}": 1 for inputs in range(1, 7)},
        registers=frozenset({"FDRE", "FDSE", "FDCE", "FDPE"}),
        muxes=frozenset({"MUXF7", "MUXF8", "MUXF9", "INV", "BUFG"}),
    ))


_xilinx("xc7", "Xilinx 7 series", "DSP48E1", (25, 18), 1)
_xilinx("xcup", "Xilinx UltraScale+", "DSP48E2", (27, 18), 2)
families.register("ecp5")(Family(
    name="ecp5", title="Lattice ECP5",
    # The wires nobody reads are taken out ahead of the mapping, which otherwise can stop at an assertion.
    script=("synth_ecp5 -top {top} -run begin:map_luts", "opt_clean -purge",
            "synth_ecp5 -top {top} -run map_luts:"),
    dsp=frozenset({"MULT18X18D", "MULT9X9D", "ALU54B"}), dsp_bits=(18, 18),
    block_ram={"DP16KD": 1, "PDPW16KD": 1},
    # Two slices of storage.
    lut_ram={"TRELLIS_DPR16X4": 4},
    # A carry cell is the two LUTs of a slice.
    luts={"LUT4": 1, "CCU2C": 2},
    registers=frozenset({"TRELLIS_FF"}),
    muxes=frozenset({"PFUMX", "L6MUX21"}),
    has_place_and_route=True,
))
