"""Changing the number of units that travel together."""

from __future__ import annotations

from collections.abc import Callable

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from cortado.gateware.pipeline import StreamRegister


class Gearbox(wiring.Component):
    """Groups of `units_in` units become groups of `units_out` units, in order; rows end with a flush.

    A row may open with `lead` zero units. The group that ends a row is filled up with zero units. At best one group
    goes in and one goes out in a cycle. Latency two cycles.

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
        # Where a group is put depends on the groups before it only: what is held when it comes in is less than a group
        # that goes out, and what goes out are whole groups. So it is put there on its way in, through a register.
        position = Signal(range(units_out))
        row_start = Signal(init=1)
        place = Signal(range(capacity - self._units_in + 1))
        behind = Signal(range(capacity + 1))
        m.submodules.placed = placed = StreamRegister(data.StructLayout({
            "units": capacity * self._unit_bits, "fill": range(capacity + 1), "last": 1}))
        added = Signal(self._units_in * self._unit_bits)
        for unit in range(self._units_in):
            with m.If(unit < self.i.payload.count):
                m.d.comb += added.word_select(unit, self._unit_bits).eq(self.i.payload.units[unit])
        m.d.comb += [
            place.eq(Mux(row_start, self.i.payload.lead, position)),
            behind.eq(place + self.i.payload.count),
            placed.i.valid.eq(self.i.valid),
            self.i.ready.eq(placed.i.ready),
            placed.i.payload.fill.eq(behind),
            placed.i.payload.last.eq(self.i.payload.last),
        ]
        with m.Switch(place):
            for number in range(capacity - self._units_in + 1):
                with m.Case(number):
                    m.d.comb += placed.i.payload.units.eq(Cat(Const(0, number * self._unit_bits), added))
        with m.If(self.i.valid & self.i.ready):
            m.d.sync += row_start.eq(self.i.payload.last)
            with m.Switch(behind):
                for number in range(capacity + 1):
                    with m.Case(number):
                        m.d.sync += position.eq(number % units_out)

        # Units beyond the fill are zero at all times, so a flush needs no masking.
        held = Signal(capacity * self._unit_bits)
        fill = Signal(range(capacity + 1))
        flushing = Signal()
        # What follows from the fill, in registers of its own: known at the beginning of a cycle.
        gives, ends = Signal(), Signal(init=1)
        room, room_behind = Signal(init=1), Signal(init=1)
        fill_behind = Signal.like(fill)
        taken, takes = self.o.valid & self.o.ready, placed.o.valid & placed.o.ready
        m.d.comb += [
            self.o.valid.eq(gives),
            self.o.payload.units.eq(held[: units_out * self._unit_bits]),
            self.o.payload.last.eq(flushing & ends),
            # A row may begin in the cycle in which the one before it ends.
            placed.o.ready.eq(Mux(flushing, self.o.ready & ends, room | (self.o.ready & room_behind))),
        ]
        m.d.sync += [
            held.eq(Mux(taken, held[units_out * self._unit_bits:], held) | Mux(takes, placed.o.payload.units, 0)),
            flushing.eq(Mux(takes, placed.o.payload.last, flushing & ~(taken & ends))),
        ]

        def follow(signal: Signal, rule: Callable[[Value], Value]) -> None:
            """Worked out for each way the fill can go before it is known which it goes."""
            m.d.sync += signal.eq(Mux(takes, rule(placed.o.payload.fill), Mux(taken, rule(fill_behind), rule(fill))))

        follow(fill, lambda level: level)
        follow(fill_behind, lambda level: Mux(level > units_out, level - units_out, 0))
        follow(ends, lambda level: level <= units_out)
        follow(room, lambda level: level < units_out)
        follow(room_behind, lambda level: level < 2 * units_out)
        # A flush goes on until its last group is taken.
        m.d.sync += gives.eq(Mux(takes, (placed.o.payload.fill >= units_out) | placed.o.payload.last, Mux(
            taken, (fill_behind >= units_out) | (flushing & ~ends), gives)))
        return m
