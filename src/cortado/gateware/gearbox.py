"""Changing the number of units that travel together."""

from __future__ import annotations

from amaranth.hdl import Cat, Const, Module, Mux, Signal, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out


class Gearbox(wiring.Component):
    """Groups of `units_in` units become groups of `units_out` units, in order; rows end with a flush.

    A row may open with `lead` zero units. The group that ends a row is filled up with zero units. At best one group
    goes in and one goes out in a cycle.

    Members
    -------
    i : In(stream of units, count, lead, last)
        The first `count` units count; `lead` is heeded only at the start of a row; `last` ends the row, which must
        hold at least one unit.
    o : Out(stream of units, last)
    """

    def __init__(self, *, unit_bits: int, units_in: int, units_out: int, largest_lead: int = 0) -> None:
        self._unit_bits, self._units_in, self._units_out = unit_bits, units_in, units_out
        self._capacity = max(units_out - 1, largest_lead) + units_in
        super().__init__({
            "i": In(stream.Signature(data.StructLayout({
                "units": data.ArrayLayout(unsigned(unit_bits), units_in),
                "count": range(units_in + 1),
                "lead": range(largest_lead + 1),
                "last": 1,
            }))),
            "o": Out(stream.Signature(data.StructLayout({
                "units": data.ArrayLayout(unsigned(unit_bits), units_out),
                "last": 1,
            }))),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        capacity, units_out = self._capacity, self._units_out
        # Units beyond the fill are zero at all times, so a flush needs no masking.
        held = Signal(capacity * self._unit_bits)
        fill = Signal(range(capacity + 1))
        flushing = Signal()
        # What follows from the fill, in registers of its own: known at the beginning of a cycle.
        gives, ends = Signal(), Signal(init=1)
        room, room_behind = Signal(init=1), Signal(init=1)
        fill_behind = Signal.like(fill)

        m.d.comb += [
            self.o.valid.eq(gives),
            self.o.payload.units.eq(held[: units_out * self._unit_bits]),
            self.o.payload.last.eq(flushing & ends),
            # A row may begin in the cycle in which the one before it ends.
            self.i.ready.eq(Mux(flushing, self.o.ready & ends, room | (self.o.ready & room_behind))),
        ]

        taken = self.o.valid & self.o.ready
        rest = Signal.like(held)
        base = Signal.like(fill)
        m.d.comb += [rest.eq(held), base.eq(fill)]
        with m.If(taken):
            m.d.comb += [
                rest.eq(held[units_out * self._unit_bits:]),
                base.eq(fill_behind),
            ]

        added = Signal(self._units_in * self._unit_bits)
        for unit in range(self._units_in):
            with m.If(unit < self.i.payload.count):
                m.d.comb += added.word_select(unit, self._unit_bits).eq(self.i.payload.units[unit])
        place = Signal.like(fill)
        row_start = Signal(init=1)
        m.d.comb += place.eq(Mux(row_start, self.i.payload.lead, base))

        next_fill, next_flushing = Signal.like(fill), Signal()
        m.d.comb += [next_fill.eq(base), next_flushing.eq(flushing & ~(taken & self.o.payload.last))]
        m.d.sync += [
            held.eq(rest),
            fill.eq(next_fill),
            flushing.eq(next_flushing),
            gives.eq((next_fill >= units_out) | next_flushing),
            ends.eq(next_fill <= units_out),
            room.eq(next_fill < units_out),
            room_behind.eq(next_fill < 2 * units_out),
            fill_behind.eq(Mux(next_fill > units_out, next_fill - units_out, 0)),
        ]
        with m.If(self.i.valid & self.i.ready):
            placed = Signal.like(held)
            with m.Switch(place):
                for position in range(capacity - self._units_in + 1):
                    with m.Case(position):
                        m.d.comb += placed.eq(Cat(Const(0, position * self._unit_bits), added))
            m.d.comb += [next_fill.eq(place + self.i.payload.count), next_flushing.eq(self.i.payload.last)]
            m.d.sync += [held.eq(rest | placed), row_start.eq(self.i.payload.last)]
        return m
