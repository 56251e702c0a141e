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
    """Units in and out are counted outside as well: none is lost, none made up."""
    m, gearbox = proof.m, proof.part
    group = gearbox.i.payload
    proof.assume("no_more_than_a_group", group.count <= units_in)
    proof.assume("rows_hold_units", ~gearbox.i.valid | ~group.last | (group.count != 0))
    proof.assume("lead_in_range", group.lead <= largest_lead)

    gearbox_room(proof, "", unit_bits=unit_bits)
    fill = proof.inside("fill")
    capacity = len(proof.inside("held")) // unit_bits
    taken, given = gearbox.i.valid & gearbox.i.ready, gearbox.o.valid & gearbox.o.ready

    due, in_row = Signal(range(4 * capacity)), Signal()
    arrives, leaves = Signal.like(due), Signal.like(due)
    with m.If(taken):
        m.d.comb += arrives.eq(group.count)
        with m.If(~in_row):
            m.d.comb += arrives.eq(group.count + group.lead)
        m.d.sync += in_row.eq(~group.last)
    with m.If(given):
        m.d.comb += leaves.eq(units_out)
        with m.If(gearbox.o.payload.last):
            # The last group is filled up; a new row may begin in the same cycle.
            m.d.comb += leaves.eq(due)
    m.d.sync += due.eq(due + arrives - leaves)

    proof.claim("counts_what_is_due", fill == due)
    proof.claim("gives_what_is_due", ~given | (leaves <= due))
    proof.claim("in_row", in_row == ~proof.inside("row_start"))
    proof.reach("rows_touch", given & gearbox.o.payload.last & taken)
