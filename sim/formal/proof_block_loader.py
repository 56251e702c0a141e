"""The loader keeps its offers, and begins a block only when it may."""

from __future__ import annotations

from amaranth.hdl import Mux
from formal.gearbox_room import gearbox_room
from formal.proof import Proof
from formal.smallest import PAIRS, SMALLEST
from formal.steps import Steps

from cortado.gateware.block_loader import BlockLoader
from cortado.gateware.configuration import LARGEST_STRIDE, WinogradConfiguration

CASES = {"smallest": SMALLEST, "pairs": PAIRS}
STEPS = Steps(bounded=4, induction=3, reach=20)


def part(**case: int) -> BlockLoader:
    """The circuit of one case."""
    return BlockLoader(WinogradConfiguration(**case))


def claims(proof: Proof, *, m: int, **case: int) -> None:
    """Commands are as the decoder passes them on."""
    loader = proof.part
    command = loader.command.payload
    proof.assume("commands_have_tiles",
                 (command.tile_rows != 0) & (command.tile_columns != 0) & (command.planes != 0))
    proof.assume("commands_have_a_step", (command.column_step != 0) & (command.column_step <= LARGEST_STRIDE))
    proof.assume("padding_ahead_fits_a_group", command.left_columns < m)

    # Beats are cut to groups the gearbox takes, which therefore holds what it offers.
    configuration = WinogradConfiguration(m=m, **case)
    unit_bits = 8 * configuration.input_pixel_bytes
    units = configuration.beat_bits // unit_bits
    proof.claim("beats_have_pixels", proof.inside("present") <= units)
    skip_bits, present_bits = len(proof.inside("skip")), len(proof.inside("present"))
    proof.claim("rows_begin_with_a_beat", proof.inside("first_cut")[skip_bits:skip_bits + present_bits] <= units)
    for valid, name in (("o__valid", "o__payload"), ("spare_valid", "spare")):
        group = proof.inside(f"trimmed.{name}")[units * unit_bits:-1]
        count, lead = group[:units.bit_length()], group[units.bit_length():]
        proof.claim(f"{name}_is_a_group", ~proof.inside(f"trimmed.{valid}") | ((count <= units) & (lead < m)))
    gearbox_room(proof, "gearbox.", unit_bits=unit_bits, units_out=m, rows_have_units=False)

    active = proof.inside("active")
    proof.claim("works_on_a_command", ~active | loader.command.valid)
    proof.claim("begins_when_it_may", ~loader.begin | (loader.open_blocks < Mux(command.exclusive, 1, 2)))
    proof.claim("takes_beats_for_a_block_only", active | ~loader.i.ready)
    proof.reach("block_done", loader.command.valid & loader.command.ready)
    proof.reach("pixels_written", loader.o.valid & loader.o.ready & (loader.o.payload.pixels != 0))
