"""The registers behind an AXI4-Lite port."""

from __future__ import annotations

from amaranth.hdl import Cat, Const, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from cortado.gateware.axi import Response, lite_signature
from cortado.gateware.cycle_counters import COUNTER_NAMES, COUNTERS_SIGNATURE
from cortado.gateware.register import Control, Interrupt, Register, counter_registers

# A page: the least that an address map gives to a slave.
CONTROL_ADDRESS_BITS = 12


class RegisterFile(wiring.Component):
    """Answers one read and one write at a time; an address goes to the register its byte is in.

    An offset that has no register, a write to one that cannot be written, and while a job runs a start or a change of
    its list of descriptors, are answered with SLVERR and do nothing. Reading the low word of a counter keeps its high
    word for the next read of that.

    Members
    -------
    control : In(lite_signature(CONTROL_ADDRESS_BITS))
    identity, configuration_hash, counters : In
        What is shown.
    busy, done : In(1)
    error : In(8)
    ended : In(1)
        High for the cycle after which a job is over; `error` is set by then.
    start, reset : Out(1)
        High for one cycle, the one after the write.
    descriptor_address, descriptor_count : Out(32)
    interrupt : Out(1)
        High while an enabled bit of `INTERRUPT_STATUS` is set.
    """

    def __init__(self) -> None:
        super().__init__({
            "control": In(lite_signature(CONTROL_ADDRESS_BITS)),
            "identity": In(32),
            "configuration_hash": In(64),
            "counters": In(COUNTERS_SIGNATURE),
            "busy": In(1),
            "done": In(1),
            "error": In(8),
            "ended": In(1),
            "start": Out(1),
            "reset": Out(1),
            "descriptor_address": Out(32),
            "descriptor_count": Out(32),
            "interrupt": Out(1),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        enable, pending = Signal(len(Interrupt)), Signal(len(Interrupt))
        cleared = Signal(len(Interrupt))
        self._write(m, enable, cleared)
        self._read(m, enable, pending)
        raised = Signal(len(Interrupt))
        with m.If(self.ended):
            # The first bit of `Interrupt` is DONE, the second ERROR.
            m.d.comb += raised.eq(Cat(self.error == 0, self.error != 0))
        # One that comes while it is cleared stays.
        m.d.sync += pending.eq(pending & ~cleared | raised)
        m.d.sync += self.interrupt.eq((pending & enable).any())
        return m

    def _write(self, m: Module, enable: Signal, cleared: Signal) -> None:
        control = self.control
        takes, refused = Signal(), Signal()
        m.d.comb += [
            takes.eq(control.awvalid & control.wvalid & ~control.bvalid),
            control.awready.eq(takes),
            control.wready.eq(takes),
        ]

        def strobed(register: Signal) -> list:
            return [register[first:first + 8].eq(control.wdata[first:first + 8])
                    for first in range(0, len(register), 8)]

        m.d.sync += [self.start.eq(0), self.reset.eq(0)]
        with m.If(control.bready):
            m.d.sync += control.bvalid.eq(0)
        with m.If(takes):
            m.d.sync += [control.bvalid.eq(1), control.bresp.eq(Response.OKAY)]
            with m.If(refused):
                m.d.sync += control.bresp.eq(Response.SLVERR)
            with m.Switch(control.awaddr[2:]):
                with m.Case(Register.CONTROL // 4):
                    with m.If(control.wstrb[0]):
                        starts, resets = ((control.wdata & bit) != 0 for bit in (Control.START, Control.RESET))
                        m.d.comb += refused.eq(starts & self.busy & ~resets)
                        m.d.sync += [self.reset.eq(resets), self.start.eq(starts & ~self.busy & ~resets)]
                for offset, register in ((Register.DESCRIPTOR_ADDRESS, self.descriptor_address),
                                         (Register.DESCRIPTOR_COUNT, self.descriptor_count)):
                    with m.Case(offset // 4):
                        m.d.comb += refused.eq(self.busy)
                        for index, assignment in enumerate(strobed(register)):
                            with m.If(control.wstrb[index] & ~self.busy):
                                m.d.sync += assignment
                with m.Case(Register.INTERRUPT_ENABLE // 4):
                    with m.If(control.wstrb[0]):
                        m.d.sync += enable.eq(control.wdata)
                with m.Case(Register.INTERRUPT_STATUS // 4):
                    with m.If(control.wstrb[0]):
                        m.d.comb += cleared.eq(control.wdata)
                with m.Default():
                    m.d.comb += refused.eq(1)

    def _read(self, m: Module, enable: Signal, pending: Signal) -> None:
        control = self.control
        high_word = Signal(32)
        shown = {
            Register.IDENTITY: self.identity,
            Register.HASH_LOW: self.configuration_hash[:32],
            Register.HASH_HIGH: self.configuration_hash[32:],
            Register.CONTROL: Const(0, 32),
            # In the order of the bits of `Status`.
            Register.STATUS: Cat(self.busy, self.done, self.error != 0),
            Register.ERROR: self.error,
            Register.DESCRIPTOR_ADDRESS: self.descriptor_address,
            Register.DESCRIPTOR_COUNT: self.descriptor_count,
            Register.INTERRUPT_ENABLE: enable,
            Register.INTERRUPT_STATUS: pending,
        }
        # The address waits in a register for a cycle: there is much to choose from.
        reads = Signal()
        offset = Signal(CONTROL_ADDRESS_BITS - 2)
        m.d.comb += control.arready.eq(~control.rvalid & ~reads)
        m.d.sync += [reads.eq(control.arvalid & control.arready), offset.eq(control.araddr[2:])]
        with m.If(control.rready):
            m.d.sync += control.rvalid.eq(0)
        with m.If(reads):
            m.d.sync += [control.rvalid.eq(1), control.rresp.eq(Response.OKAY)]
            with m.Switch(offset):
                for place, value in shown.items():
                    with m.Case(place // 4):
                        m.d.sync += control.rdata.eq(value)
                for name in COUNTER_NAMES:
                    counter, (low, high) = getattr(self.counters, name), counter_registers(name)
                    with m.Case(low // 4):
                        m.d.sync += [control.rdata.eq(counter[:32]), high_word.eq(counter[32:])]
                    with m.Case(high // 4):
                        m.d.sync += control.rdata.eq(high_word)
                with m.Default():
                    m.d.sync += [control.rdata.eq(0), control.rresp.eq(Response.SLVERR)]
