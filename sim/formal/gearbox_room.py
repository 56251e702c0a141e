"""What holds inside a gearbox at all times, for the proofs of the components it is part of."""

from __future__ import annotations

from amaranth.hdl import Cat, Mux, Value
from formal.proof import Proof


def gearbox_room(proof: Proof, path: str, *, unit_bits: int, units_out: int, rows_have_units: bool = True) -> None:
    """Claims that the gearbox at `path` (`gearbox.`, or empty for the component itself) holds what it has room for, and
    puts no unit on another.

    Its surroundings see to it that no group counts more units than it has, and that a row has some, unless they promise
    nothing of the kind (`rows_have_units`).
    """
    held, fill, flushing, row_start, position = (
        proof.inside(f"{path}{name}") for name in ("held", "fill", "flushing", "row_start", "position"))
    capacity = len(held) // unit_bits
    label = path.replace(".", "_")

    def beyond(units: Value, level: Value) -> Value:
        """Whether the places from `level` on are empty."""
        return Cat((units.word_select(place, unit_bits) == 0) | (level > place) for place in range(capacity)).all()

    def below(units: Value, level: Value) -> Value:
        """Whether the places below `level` are empty."""
        return Cat((units.word_select(place, unit_bits) == 0) | (level <= place) for place in range(capacity)).all()

    def start(level: Value, last: Value) -> Value:
        """Where the group behind one that leaves `level` units is put."""
        return Mux(last, 0, level % units_out)

    proof.claim(f"{label}fits", fill <= capacity)
    proof.claim(f"{label}places_beyond_are_zero", beyond(held, fill))
    if rows_have_units:
        proof.claim(f"{label}last_group_has_units", ~flushing | (fill != 0))
    ready, gives, takes, behind = (proof.inside(f"{path}{name}") for name in (
        "o__ready", "o__valid", "placed.o__ready", "fill_behind"))
    proof.claim(f"{label}what_is_left", behind == Mux(fill > units_out, (fill - units_out)[:len(fill)], 0))
    proof.claim(f"{label}gives_groups", gives == (flushing | (fill >= units_out)))
    # The group that is placed next, and one that waits behind it.
    level, last = fill, flushing
    for number, name in enumerate(("o__payload", "spare")):
        valid, group = proof.inside(f"{path}placed.{'o__valid' if number == 0 else 'spare_valid'}"), proof.inside(
            f"{path}placed.{name}")
        units, filled, ends = group[:len(held)], group[len(held):-1], group[-1]
        at = start(level, last)
        proof.claim(f"{label}placed_{number}_fits", ~valid | ((filled <= capacity) & (filled >= at)))
        proof.claim(f"{label}placed_{number}_lies_on_nothing", ~valid | (below(units, at) & beyond(units, filled)))
        if rows_have_units:
            proof.claim(f"{label}placed_{number}_has_units", ~valid | ~ends | (filled != 0))
        if number == 0:
            proof.claim(f"{label}placed_where_the_held_end", ~valid | ~takes | (at == Mux(gives & ready, behind, fill)))
        else:
            proof.claim(f"{label}in_order", ~valid | proof.inside(f"{path}placed.o__valid"))
        level, last = Mux(valid, filled, level), Mux(valid, ends, last)
    proof.claim(f"{label}a_row_ends_before_the_next", row_start | ~last)
    proof.claim(f"{label}nothing_between_rows", ~row_start | last | (level == 0))
    proof.claim(f"{label}next_is_put_behind", row_start | (position == level % units_out))
