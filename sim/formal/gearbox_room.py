"""What holds inside a gearbox at all times, for the proofs of the components it is part of."""

from __future__ import annotations

from amaranth.hdl import Cat
from formal.proof import Proof


def gearbox_room(proof: Proof, path: str, *, unit_bits: int) -> None:
    """Claims that the gearbox at `path` (`gearbox.`, or empty for the component itself) holds what it has room for.

    Its surroundings see to it that no group counts more units than it has, and that a row has some.
    """
    fill, held, flushing = (proof.inside(f"{path}{name}") for name in ("fill", "held", "flushing"))
    row_start = proof.inside(f"{path}row_start")
    capacity = len(held) // unit_bits
    beyond = Cat((held.word_select(place, unit_bits) == 0) | (fill > place) for place in range(capacity))
    label = path.replace(".", "_")
    proof.claim(f"{label}fits", fill <= capacity)
    proof.claim(f"{label}places_beyond_are_zero", beyond.all())
    proof.claim(f"{label}last_group_has_units", ~flushing | (fill != 0))
    proof.claim(f"{label}a_row_ends_before_the_next", ~flushing | row_start)
    proof.claim(f"{label}nothing_between_rows", ~row_start | flushing | (fill == 0))
