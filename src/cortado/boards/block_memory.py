"""A memory of block RAM behind an AXI4 port, for boards whose own memory an open flow has no controller for."""

from __future__ import annotations

from amaranth.hdl import Cat, Module, Mux, Signal, unsigned
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

from cortado.gateware.axi import ID_BITS, Response, read_signature, write_signature

WORD_SIGNATURE = wiring.Signature({
    "valid": Out(1), "write": Out(1), "address": Out(32), "data": Out(32), "done": In(1), "answer": In(32),
    "failed": In(1),
})
"""A word of 32 bits read or written by someone beside the AXI port: `valid` stays until `done`."""


class BlockMemory(wiring.Component):
    """`size_bytes` of memory, a power of two, from address 0 on; what lies beyond is answered with SLVERR.

    One burst of reading and one of writing at a time; a beat is read every two cycles, written every cycle. Bursts go
    up, as the engine's do. The word port waits while a burst of its kind is under way.

    Members
    -------
    reads : In(read channels of AXI4)
    writes : In(write channels of AXI4)
    word : In(WORD_SIGNATURE)
    """

    def __init__(self, *, beat_bits: int, size_bytes: int) -> None:
        assert size_bytes & (size_bytes - 1) == 0, size_bytes
        self._beat_bits, self._size_bytes = beat_bits, size_bytes
        super().__init__({"reads": In(read_signature(beat_bits)), "writes": In(write_signature(beat_bits)),
                          "word": In(WORD_SIGNATURE)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        depth = self._size_bytes * 8 // self._beat_bits
        m.submodules.memory = content = memory.Memory(shape=unsigned(self._beat_bits), depth=depth, init=[])
        self._read(m, content.read_port())
        self._write(m, content.write_port(granularity=8))
        return m

    @property
    def _first_bit(self) -> int:
        """Of an address: below it lies the place in a beat."""
        return (self._beat_bits // 8 - 1).bit_length()

    def _beyond(self, address: Signal) -> object:
        return address[self._size_bytes.bit_length() - 1:].any()

    def _read(self, m: Module, port: memory.ReadPort) -> None:
        reads, word = self.reads, self.word
        beat, left, name = Signal(32 - self._first_bit), Signal(8), Signal(ID_BITS)
        beyond = self._beyond(Cat(reads.araddr[:self._first_bit], beat))
        lane = word.address[2:self._first_bit]
        m.d.comb += [
            reads.rid.eq(name), reads.rdata.eq(port.data), reads.rlast.eq(left == 0),
            reads.rresp.eq(Mux(beyond, Response.SLVERR, Response.OKAY)),
            word.answer.eq(port.data.word_select(lane, 32)),
            port.addr.eq(beat), port.en.eq(0),
        ]
        with m.FSM(name="reading"):
            with m.State("IDLE"):
                m.d.comb += reads.arready.eq(1)
                with m.If(reads.arvalid):
                    m.d.sync += [beat.eq(reads.araddr[self._first_bit:]), left.eq(reads.arlen), name.eq(reads.arid)]
                    m.next = "FETCH"
                with m.Elif(word.valid & ~word.write):
                    m.d.comb += [port.addr.eq(word.address[self._first_bit:]), port.en.eq(1)]
                    m.next = "WORD"
            with m.State("FETCH"):
                m.d.comb += port.en.eq(1)
                m.next = "GIVE"
            with m.State("GIVE"):
                m.d.comb += reads.rvalid.eq(1)
                with m.If(reads.rready):
                    m.d.sync += [beat.eq(beat + 1), left.eq(left - 1)]
                    m.next = "FETCH"
                    with m.If(reads.rlast):
                        m.next = "IDLE"
            with m.State("WORD"):
                m.d.comb += [word.done.eq(1), word.failed.eq(self._beyond(word.address))]
                m.next = "IDLE"

    def _write(self, m: Module, port: memory.WritePort) -> None:
        writes, word = self.writes, self.word
        beat, name, failed = Signal(32 - self._first_bit), Signal(ID_BITS), Signal()
        beyond = self._beyond(Cat(writes.awaddr[:self._first_bit], beat))
        lane = word.address[2:self._first_bit]
        m.d.comb += [
            writes.bid.eq(name), writes.bresp.eq(Mux(failed, Response.SLVERR, Response.OKAY)),
            port.addr.eq(beat), port.data.eq(writes.wdata),
        ]
        with m.FSM(name="writing"):
            with m.State("IDLE"):
                m.d.comb += writes.awready.eq(1)
                with m.If(writes.awvalid):
                    m.d.sync += [beat.eq(writes.awaddr[self._first_bit:]), name.eq(writes.awid), failed.eq(0)]
                    m.next = "TAKE"
                with m.Elif(word.valid & word.write):
                    m.d.comb += [
                        port.addr.eq(word.address[self._first_bit:]),
                        port.data.eq(word.data.replicate(self._beat_bits // 32)),
                        word.done.eq(1), word.failed.eq(self._beyond(word.address)),
                    ]
                    with m.If(~word.failed):
                        m.d.comb += port.en.word_select(lane, 4).eq(0b1111)
            with m.State("TAKE"):
                m.d.comb += writes.wready.eq(1)
                with m.If(writes.wvalid):
                    m.d.comb += port.en.eq(Mux(beyond, 0, writes.wstrb))
                    m.d.sync += [beat.eq(beat + 1), failed.eq(failed | beyond)]
                    with m.If(writes.wlast):
                        m.next = "ANSWER"
            with m.State("ANSWER"):
                m.d.comb += writes.bvalid.eq(1)
                with m.If(writes.bready):
                    m.next = "IDLE"
