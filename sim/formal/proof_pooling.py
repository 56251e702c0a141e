"""The parts of the pooling unit keep their offers to each other."""

from __future__ import annotations

from amaranth.lib import data
from formal.gearbox_room import gearbox_room
from formal.proof import Proof
from formal.steps import Steps

from cortado.gateware.column_maximum import pixels_layout
from cortado.gateware.pooling import Pooling

CASES = {"average": {"lanes": 1, "beat_bits": 16, "row_beats": 2, "average": True}}
STEPS = Steps(bounded=4, induction=3, reach=24)


def part(**case: int) -> Pooling:
    """The circuit of one case."""
    return Pooling(**case)


def claims(proof: Proof, *, lanes: int, beat_bits: int, **case: int) -> None:
    """What the columns give fits the gearbox, which therefore holds what it offers."""
    units = beat_bits // (8 * lanes)
    valid, pixels = (proof.inside(f"maximum.o__{name}") for name in ("valid", "payload"))
    count = data.View(pixels_layout(lanes=lanes, beat_bits=beat_bits), pixels).count
    proof.claim("pixels_are_a_group", ~valid | ((count >= 1) & (count <= units)))
    gearbox_room(proof, "gearbox.", unit_bits=8 * lanes, units_out=units)
