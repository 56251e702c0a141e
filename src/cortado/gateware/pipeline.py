"""Registered stages between streams."""

from __future__ import annotations

from amaranth.hdl import Module, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out


def stage(m: Module, i_valid: Value, o_valid: Signal, o_ready: Value) -> Value:
    """One registered stage: drives the register `o_valid` and returns whether the stage moves this cycle.

    A stage moves when it is empty or its content is taken. The caller loads the stage's payload registers under the
    returned condition and offers it as `ready` to the stage before. `valid` holds until taken and never waits for
    `ready`.
    """
    moves = ~o_valid | o_ready
    with m.If(moves):
        m.d.sync += o_valid.eq(i_valid)
    return moves


def payload_register(m: Module, payload: object, name: str = "payload") -> object:
    """A register that drives a payload, without a reset: while `valid` is low it may be anything.

    Most registers of an engine are such, and the reset's net would be the longest of all if it went to them.
    """
    register = Signal.like(payload, name=name, reset_less=True)
    m.d.comb += payload.eq(register)
    return register


class StreamRegister(wiring.Component):
    """A stream with a register in both directions: neither payload and `valid` nor `ready` pass in the same cycle.

    Latency one cycle, one item a cycle. It keeps two items, the second for the one that comes before the sender can see
    that the receiver waits. Between units it keeps a wait of the last from being a path of logic to the first.

    Members
    -------
    i, o : streams of `shape`
    """

    def __init__(self, shape: object) -> None:
        super().__init__({"i": In(stream.Signature(shape)), "o": Out(stream.Signature(shape))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        payload = payload_register(m, self.o.payload)
        spare, spare_valid = Signal.like(self.i.payload, name="spare", reset_less=True), Signal()
        # The opposite of `spare_valid` in a register of its own, for that one is far from the sender: it chooses among
        # the bits of the payload.
        ready = Signal(init=1)
        moves = ~self.o.valid | self.o.ready
        keeps = ~moves & (spare_valid | (self.i.valid & ready))
        m.d.comb += self.i.ready.eq(ready)
        m.d.sync += [spare_valid.eq(keeps), ready.eq(~keeps)]
        with m.If(moves):
            m.d.sync += self.o.valid.eq(spare_valid | (self.i.valid & ready))
            with m.If(spare_valid):
                m.d.sync += payload.eq(spare)
            with m.Else():
                m.d.sync += payload.eq(self.i.payload)
        # Without a condition on `moves`, which comes late: what is not needed is overwritten.
        with m.If(~spare_valid):
            m.d.sync += spare.eq(self.i.payload)
        return m


def registered(m: Module, name: str, source: object) -> object:
    """A stream behind a register of that name."""
    m.submodules[name] = step = StreamRegister(source.payload.shape())
    wiring.connect(m, source, step.i)
    return step.o


def register(m: Module, name: str, source: object, sink: object) -> None:
    """Connects two streams through a register of that name."""
    wiring.connect(m, registered(m, name, source), sink)
