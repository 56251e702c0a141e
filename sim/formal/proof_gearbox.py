"""The gearbox never holds more units than it has places, and none of them on top of another."""

from __future__ import annotations

from amaranth.hdl import Signal
from formal.gearbox_room import gearbox_room
from formal.proof import Proof
from formal.steps import Steps

from cortado.gateware.gearbox import Gearbox

CASES = {
    "narrows": {"unit_bits": 2, "units_in": 4, "units_out": 3, "largest_lead": 2},
    "gathers": {"unit_bits": 2, "units_in": 1, "units_out": 4, "largest_lead": 2},
}
STEPS = Steps(bounded=12, induction=4, reach=8)


def part(**case: int) -> Gearbox:
    """The circuit of one case."""
    return Gearbox(**case)


def claims(proof: Proof, *, unit_bits: int, units_in: int, units_out: int, largest_lead: int) -> None:
    """Rows in and out are counted outside as well: none is lost, none made up."""
    m, gearbox = proof.m, proof.part
    group = gearbox.i.payload
    proof.assume("no_more_than_a_group", group.count <= units_in)
    proof.assume("rows_hold_units", ~gearbox.i.valid | ~group.last | (group.count != 0))
    proof.assume("lead_in_range", group.lead <= largest_lead)

    gearbox_room(proof, "", unit_bits=unit_bits, units_out=units_out)
    taken, given = gearbox.i.valid & gearbox.i.ready, gearbox.o.valid & gearbox.o.ready

    # Rows that have come in whole and have not gone out whole.
    in_row = Signal()
    with m.If(taken):
        m.d.sync += in_row.eq(~group.last)
    rows = Signal(3)
    m.d.sync += rows.eq(rows + (taken & group.last) - (given & gearbox.o.payload.last))
    held_rows = proof.inside("flushing") + sum(
        proof.inside(f"placed.{valid}") & proof.inside(f"placed.{name}")[-1]
        for valid, name in (("o__valid", "o__payload"), ("spare_valid", "spare")))
    proof.claim("rows_are_counted", rows == held_rows)
    proof.claim("in_row", in_row == ~proof.inside("row_start"))
    proof.reach("rows_touch", given & gearbox.o.payload.last & proof.inside("placed.o__valid")
                & proof.inside("placed.o__ready"))
