"""An engine behind AXI ports: what a board, or the simulator's shell, sees."""

from __future__ import annotations

from amaranth.hdl import ClockDomain, ClockSignal, DomainRenamer, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import Out

from cortado.gateware.axi import connect_flat, flat_members, lite_signature, read_signature, write_signature
from cortado.gateware.descriptor import ErrorCode
from cortado.gateware.descriptor_fetcher import DescriptorFetcher
from cortado.gateware.read_arbiter import ReadArbiter
from cortado.gateware.register_file import CONTROL_ADDRESS_BITS, RegisterFile
from cortado.gateware.write_master import WriteMaster

CONTROL_PREFIX, MEMORY_PREFIX = "s_axi_control", "m_axi"

# Who reads, in the order of their ARID, and what is wrong when the memory refuses.
READERS = {
    "descriptors": ErrorCode.DESCRIPTOR_READ_FAILED,
    "activations": ErrorCode.ACTIVATION_READ_FAILED,
    "weights": ErrorCode.WEIGHT_READ_FAILED,
}


def axi_engine_signature(beat_bits: int) -> wiring.Signature:
    """The ports of every engine behind AXI; `AxiEngine` says what they are for."""
    return wiring.Signature({
        **flat_members(CONTROL_PREFIX, lite_signature(CONTROL_ADDRESS_BITS).flip()),
        **flat_members(MEMORY_PREFIX, read_signature(beat_bits)),
        **flat_members(MEMORY_PREFIX, write_signature(beat_bits)),
        "irq": Out(1),
    })


class AxiEngine(wiring.Component):
    """Runs jobs on `core`, a component with the ports of `engine_signature`.

    A job ends well when the core is idle after its last descriptor. It ends with the first error of: the core, the
    list of descriptors, a read or a write that the memory refuses, a reset by the driver, something left over by the
    core. Then the core is reset, no
    further burst is asked for, what has been read is dropped, and bursts of writing that have been asked for are
    finished with strobes of zero. The engine is busy until the memory has answered everything, and ready for the next
    job after that.

    Members
    -------
    s_axi_control_* : AXI4-Lite slave
        The registers of `gateware.register`.
    m_axi_* : AXI4 master
        Descriptors, activations and weights are read, each with an ID of its own; results are written.
    irq : Out(1)
        High while an enabled interrupt is pending.
    """

    def __init__(self, core: wiring.Component, *, beat_bits: int) -> None:
        self._core, self._beat_bits = core, beat_bits
        super().__init__(axi_engine_signature(beat_bits))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        core = self._core
        fetcher = DescriptorFetcher(beat_bits=self._beat_bits)
        # The same clock, and a reset of their own.
        m.domains.job = job = ClockDomain(local=True)
        m.submodules.core = DomainRenamer("job")(core)
        m.submodules.fetcher = DomainRenamer("job")(fetcher)
        m.submodules.reads = reads = ReadArbiter(readers=READERS, beat_bits=self._beat_bits)
        m.submodules.writes = writes = WriteMaster(beat_bits=self._beat_bits)
        m.submodules.registers = registers = RegisterFile()

        connect_flat(m, self, MEMORY_PREFIX, reads.memory)
        connect_flat(m, self, MEMORY_PREFIX, writes.memory)
        connect_flat(m, self, CONTROL_PREFIX, registers.control)
        for source, sink in (
            (fetcher.request, reads.descriptors_request),
            (core.activations_request, reads.activations_request),
            (core.weights_request, reads.weights_request),
            (reads.descriptors, fetcher.i),
            (reads.activations, core.activations),
            (reads.weights, core.weights),
            (fetcher.o, core.descriptor),
            (core.results_request, writes.request),
            (core.results, writes.i),
            (writes.response, core.results_response),
        ):
            wiring.connect(m, source, sink)

        error, done = Signal(8), Signal()
        failure = Signal(8)
        m.d.comb += [
            self.irq.eq(registers.interrupt),
            registers.identity.eq(core.identity),
            registers.configuration_hash.eq(core.configuration_hash),
            registers.error.eq(error),
            registers.done.eq(done),
            fetcher.address.eq(registers.descriptor_address),
            fetcher.count.eq(registers.descriptor_count),
            fetcher.start.eq(registers.start),
            *(getattr(registers.counters, name).eq(getattr(core.counters, name))
              for name in core.counters.signature.members),
            failure.eq(core.status.error),
        ]
        for name, code in READERS.items():
            with m.If(getattr(reads, f"{name}_failed")):
                m.d.comb += failure.eq(code)
        with m.If(writes.failed):
            m.d.comb += failure.eq(ErrorCode.WRITE_FAILED)
        with m.If(fetcher.bad_list):
            m.d.comb += failure.eq(ErrorCode.BAD_LIST)
        with m.If(registers.reset):
            m.d.comb += failure.eq(ErrorCode.ABORTED)

        # A core that is idle must have nothing left to ask for, to take or to give.
        left_over = Signal()
        m.d.comb += left_over.eq(~reads.idle | ~writes.idle | core.activations_request.valid
                                 | core.weights_request.valid | core.results_request.valid | core.results.valid)

        # A register of its own, for it goes to everything; it begins with the reset of the whole, which it spreads.
        stops = Signal(init=1)
        m.d.sync += stops.eq(0)
        m.d.comb += [
            job.clk.eq(ClockSignal()),
            job.rst.eq(stops),
            reads.stop.eq(stops),
            writes.stop.eq(stops),
            registers.busy.eq(1),
        ]
        with m.FSM():
            with m.State("IDLE"):
                m.d.comb += registers.busy.eq(0)
                with m.If(registers.start):
                    m.d.sync += [error.eq(ErrorCode.NONE), done.eq(0)]
                    m.next = "RUN"
                    with m.If(fetcher.bad_list):
                        m.d.sync += [error.eq(ErrorCode.BAD_LIST), stops.eq(1)]
                        m.next = "STOP"
                with m.If(registers.reset):
                    m.d.sync += [error.eq(ErrorCode.NONE), done.eq(0)]
            with m.State("RUN"):
                with m.If(failure != ErrorCode.NONE):
                    m.d.sync += [error.eq(failure), stops.eq(1)]
                    m.next = "STOP"
                with m.Elif(fetcher.sent & ~core.status.busy):
                    with m.If(left_over):
                        m.d.sync += [error.eq(ErrorCode.LEFT_OVER), stops.eq(1)]
                        m.next = "STOP"
                    with m.Else():
                        m.d.sync += done.eq(1)
                        m.d.comb += registers.ended.eq(1)
                        m.next = "IDLE"
            with m.State("STOP"):
                m.d.sync += stops.eq(1)
                with m.If(reads.idle & writes.idle):
                    m.d.sync += stops.eq(0)
                    m.d.comb += registers.ended.eq(1)
                    m.next = "IDLE"
        return m
