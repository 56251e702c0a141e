"""Reading the descriptors of a job from memory."""

from __future__ import annotations

from amaranth.hdl import Module, Signal, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from cortado.gateware.configuration import BURST_BEATS
from cortado.gateware.descriptor import DESCRIPTOR_BYTES, DESCRIPTOR_WORDS, FIELD_NAMES, Flag
from cortado.gateware.pipeline import StreamRegister, register, registered
from cortado.gateware.stream_reader import REQUEST_LAYOUT, StreamReader

# What 32-bit addresses can hold.
LARGEST_COUNT = 2**32 // DESCRIPTOR_BYTES - 1

# A decoder that finds an error of its own in a descriptor says so within so many cycles of its last word.
DECODE_CYCLES = 64


class DescriptorFetcher(wiring.Component):
    """Reads `count` descriptors from `address` on and sends them word by word.

    Members
    -------
    start : In(1)
    address : In(32)
        Byte address, a multiple of a beat. It and the count are there a cycle before the start, and stay.
    count : In(32)
    request : Out(stream of REQUEST_LAYOUT)
    i : In(stream of beats)
        The answers, in order.
    o : Out(stream of 32-bit words)
    sent : Out(1)
        Every word has been taken.
    bad_list : Out(1)
        Address or count is none, or a descriptor other than the last is flagged as the last, or the last is not. In a
        descriptor's own case it comes `DECODE_CYCLES` after its last word, and the words behind it are held back.
    """

    def __init__(self, *, beat_bits: int) -> None:
        self._beat_bits = beat_bits
        super().__init__({
            "start": In(1),
            "address": In(32),
            "count": In(32),
            "request": Out(stream.Signature(REQUEST_LAYOUT)),
            "i": In(stream.Signature(unsigned(beat_bits))),
            "o": Out(stream.Signature(unsigned(32))),
            "sent": Out(1, init=1),
            "bad_list": Out(1),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        beat_bytes = self._beat_bits // 8
        # One descriptor arrives while the one before it is sent.
        m.submodules.reader = reader = StreamReader(beat_bits=self._beat_bits, prefetch_beats=2 * BURST_BEATS)
        register(m, "request_register", reader.request, wiring.flipped(self.request))
        wiring.connect(m, wiring.flipped(self.i), reader.i)

        asking = Signal()
        left = Signal(range(LARGEST_COUNT + 1))
        m.d.comb += [
            reader.command.valid.eq(asking),
            reader.command.payload.address.eq(self.address),
            reader.command.payload.run_beats.eq(self.count * (DESCRIPTOR_BYTES // beat_bytes)),
            reader.command.payload.runs.eq(1),
            reader.command.payload.planes.eq(1),
        ]
        with m.If(reader.command.ready):
            m.d.sync += asking.eq(0)

        beats = registered(m, "beats_register", reader.o)
        # Words through a register too: whether one is taken depends on units far away, and a beat has many bits.
        m.submodules.words_register = words = StreamRegister(unsigned(32))
        part = Signal(range(beat_bytes // 4))
        m.d.comb += [
            words.i.payload.eq(beats.payload.word_select(part, 32)),
            words.i.valid.eq(beats.valid),
            beats.ready.eq(words.i.ready & (part == beat_bytes // 4 - 1)),
        ]
        with m.If(words.i.valid & words.i.ready):
            m.d.sync += part.eq(part + 1)
        word = Signal(range(DESCRIPTOR_WORDS))
        # The descriptor is the last of the list; known in time, for it has many words.
        is_last = Signal()
        m.d.sync += is_last.eq(left == 1)
        misplaced = Signal()
        wait = Signal(range(DECODE_CYCLES + 1))
        m.d.comb += [
            self.o.payload.eq(words.o.payload),
            self.o.valid.eq(words.o.valid & (wait == 0)),
            words.o.ready.eq(self.o.ready & (wait == 0)),
        ]
        with m.If(self.o.valid & self.o.ready):
            with m.If(word == FIELD_NAMES.index("flags")):
                flagged = (self.o.payload & Flag.LAST) != 0
                m.d.sync += misplaced.eq(flagged ^ is_last)
            with m.If(word == DESCRIPTOR_WORDS - 1):
                m.d.sync += [word.eq(0), left.eq(left - 1), self.sent.eq(is_last & ~misplaced)]
                with m.If(misplaced):
                    m.d.sync += wait.eq(1)
            with m.Else():
                m.d.sync += word.eq(word + 1)
        with m.If((wait != 0) & (wait != DECODE_CYCLES)):
            m.d.sync += wait.eq(wait + 1)
        with m.If(wait == DECODE_CYCLES):
            m.d.comb += self.bad_list.eq(1)

        no_list = Signal()
        misaligned = self.address[: (beat_bytes - 1).bit_length()] != 0
        m.d.sync += no_list.eq(misaligned | (self.count == 0) | (self.count > LARGEST_COUNT))
        with m.If(self.start):
            with m.If(no_list):
                m.d.comb += self.bad_list.eq(1)
            with m.Else():
                m.d.sync += [asking.eq(1), left.eq(self.count), self.sent.eq(0)]
        return m
