"""An engine on a board with nothing but a clock, a serial line and a light."""

from __future__ import annotations

from amaranth.hdl import ClockDomain, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from cortado.boards.block_memory import BlockMemory
from cortado.boards.serial_bridge import SerialBridge
from cortado.boards.uart import UartReceiver, UartTransmitter
from cortado.gateware.axi import lite_signature, read_signature, write_signature
from cortado.gateware.axi_engine import CONTROL_PREFIX, MEMORY_PREFIX
from cortado.gateware.register_file import CONTROL_ADDRESS_BITS

# Cycles of reset after the FPGA has been configured.
RESET_CYCLES = 255


class SerialTop(wiring.Component):
    """`engine`, a component with the ports of `axi_engine_signature`, with its memory in block RAM and a serial line in
    place of a processor. `SerialBridge` says what goes over the line; `divisor` is the cycles of its bit.

    Members
    -------
    clk : In(1)
        From the oscillator: the engine runs at it.
    rx, tx : In(1), Out(1)
        The serial line.
    led : Out(1)
        The engine's interrupt: a job has ended.
    """

    def __init__(self, engine: wiring.Component, *, beat_bits: int, memory_bytes: int, divisor: int) -> None:
        self._engine, self._beat_bits = engine, beat_bits
        self._memory_bytes, self._divisor = memory_bytes, divisor
        super().__init__({"clk": In(1), "rx": In(1), "tx": Out(1), "led": Out(1)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.domains.start = start = ClockDomain(reset_less=True, local=True)
        m.domains.sync = sync = ClockDomain(local=True)
        waited = Signal(range(RESET_CYCLES + 1))
        m.d.comb += [start.clk.eq(self.clk), sync.clk.eq(self.clk), sync.rst.eq(waited != RESET_CYCLES)]
        with m.If(waited != RESET_CYCLES):
            m.d.start += waited.eq(waited + 1)

        m.submodules.engine = engine = self._engine
        m.submodules.memory = memory = BlockMemory(beat_bits=self._beat_bits, size_bytes=self._memory_bytes)
        m.submodules.bridge = bridge = SerialBridge()
        m.submodules.receiver = receiver = UartReceiver(divisor=self._divisor)
        m.submodules.transmitter = transmitter = UartTransmitter(divisor=self._divisor)
        wiring.connect(m, receiver.o, bridge.i)
        wiring.connect(m, bridge.o, transmitter.i)
        wiring.connect(m, bridge.word, memory.word)
        for prefix, signature, master, slave in (
                (MEMORY_PREFIX, read_signature(self._beat_bits), engine, memory.reads),
                (MEMORY_PREFIX, write_signature(self._beat_bits), engine, memory.writes),
                (CONTROL_PREFIX, lite_signature(CONTROL_ADDRESS_BITS), bridge.control, engine)):
            for name, member in signature.members.items():
                giver, taker = (getattr(end, f"{prefix}_{name}" if end is engine else name) for end in (master, slave))
                m.d.comb += taker.eq(giver) if member.flow is Out else giver.eq(taker)
        m.d.comb += [receiver.line.eq(self.rx), self.tx.eq(transmitter.line), self.led.eq(engine.irq)]
        return m
