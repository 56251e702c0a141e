"""A small stand-in for an engine behind the AXI ports, and its simulator libraries."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import IntFlag
from pathlib import Path

import numpy as np
import pytest
from amaranth.hdl import Assert, Module, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from cortado.device.driver import Driver
from cortado.device.simulated_transport import SimulatedTransport
from cortado.gateware.axi_engine import AxiEngine
from cortado.gateware.cycle_counters import COUNTER_NAMES
from cortado.gateware.descriptor import FIELD_NAMES
from cortado.gateware.stream_reader import REQUEST_LAYOUT, StreamReader
from cortado.simulation.build import build_library
from cortado.simulation.counters import Counters
from cortado.simulation.memory_model import MemoryModel
from cortado.simulation.simulator import Simulator
from cortado.simulation.toolchain import compiler, verilator
from cortado.simulation.verilog import to_verilog

BURST_BEATS = 16
IDENTITY = 0x0ADD
CONFIGURATION_HASH = 0x0123456789ABCDEF

MEMORY_BYTES = 1 << 20
# Where the terms and the sum of a test lie.
A, B, TOTAL = 0x20000, 0x40000, 0x60000


# Where the flags of any descriptor lie: whoever fetches it looks for the last one.
ORDER_WORD = FIELD_NAMES.index("flags")
TERMS_WORD = 8


class Order(IntFlag):
    """The flags of a descriptor of the stand-in.

    The words from `TERMS_WORD` on are beats, the addresses of both terms and the sum, and an error code.
    """

    NONE = 0
    LAST = 1
    HANG = 2
    FAIL = 4
    """Raise the error code."""
    LEAVE = 8
    """Be idle again as soon as the requests are out."""
    BREAK = 16
    """Fail an assertion."""


class Requester(wiring.Component):
    """Asks for `beats` beats from `address` on, in bursts that keep to no boundary."""

    def __init__(self, beat_bits: int) -> None:
        self.beat_bytes = beat_bits // 8
        super().__init__({"start": In(1), "address": In(32), "beats": In(16), "idle": Out(1),
                          "request": Out(stream.Signature(REQUEST_LAYOUT))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        address, left = Signal(32), Signal(16)
        beats = self.request.payload.beats
        m.d.comb += [
            beats.eq(BURST_BEATS),
            self.request.payload.address.eq(address),
            self.request.valid.eq(left != 0),
            self.idle.eq(left == 0),
        ]
        with m.If(left < BURST_BEATS):
            m.d.comb += beats.eq(left)
        with m.If(self.start):
            m.d.sync += [address.eq(self.address), left.eq(self.beats)]
        with m.Elif(self.request.valid & self.request.ready):
            m.d.sync += [address.eq(address + beats * self.beat_bytes), left.eq(left - beats)]
        return m


class Reader(wiring.Component):
    """Reads `beats` beats from `address` on, and holds what its engine does not take yet: the memory may not wait."""

    def __init__(self, beat_bits: int) -> None:
        self.beat_bits = beat_bits
        super().__init__({"start": In(1), "address": In(32), "beats": In(16), "idle": Out(1),
                          "request": Out(stream.Signature(REQUEST_LAYOUT)), "i": In(stream.Signature(beat_bits)),
                          "o": Out(stream.Signature(beat_bits))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.reader = reader = StreamReader(beat_bits=self.beat_bits)
        for name in ("request", "o"):
            wiring.connect(m, getattr(reader, name), wiring.flipped(getattr(self, name)))
        wiring.connect(m, wiring.flipped(self.i), reader.i)
        command, asking = reader.command, Signal()
        m.d.comb += [
            self.idle.eq(~asking), command.valid.eq(asking), command.payload.address.eq(self.address),
            command.payload.run_beats.eq(self.beats), command.payload.runs.eq(1), command.payload.planes.eq(1)]
        with m.If(self.start):
            m.d.sync += asking.eq(1)
        with m.Elif(command.ready):
            m.d.sync += asking.eq(0)
        return m


class AddEngine(wiring.Component):
    """Adds beats as whole numbers modulo 2**beat_bits: sum = activations + weights."""

    def __init__(self, beat_bits: int) -> None:
        self.beat_bits = beat_bits
        request = stream.Signature(REQUEST_LAYOUT)
        beat = stream.Signature(beat_bits)
        super().__init__({
            "descriptor": In(stream.Signature(32)),
            "activations_request": Out(request), "activations": In(beat),
            "weights_request": Out(request), "weights": In(beat),
            "results_request": Out(request), "results": Out(beat), "results_response": In(stream.Signature(1)),
            "status": Out(wiring.Signature({"busy": Out(1), "error": Out(8)})),
            "identity": Out(32), "configuration_hash": Out(64),
            "counters": Out(wiring.Signature({name: Out(48) for name in COUNTER_NAMES})),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        masters = []
        words = Signal(data.ArrayLayout(32, TERMS_WORD + 5))
        order, terms = words[ORDER_WORD], [words[TERMS_WORD + index] for index in range(5)]
        word = Signal(range(32))
        start = Signal()
        for index, name in enumerate(("activations", "weights", "results")):
            kind = Requester if name == "results" else Reader
            m.submodules[name] = master = kind(self.beat_bits)
            wiring.connect(m, master.request, wiring.flipped(getattr(self, f"{name}_request")))
            if name != "results":
                wiring.connect(m, wiring.flipped(getattr(self, name)), master.i)
            m.d.comb += [master.start.eq(start), master.beats.eq(terms[0]), master.address.eq(terms[1 + index])]
            masters.append(master)

        a, b, _ = masters
        moving = Signal()
        m.d.comb += [
            self.identity.eq(IDENTITY),
            self.configuration_hash.eq(CONFIGURATION_HASH),
            self.results.payload.eq(a.o.payload + b.o.payload),
            self.results.valid.eq(a.o.valid & b.o.valid),
            moving.eq(self.results.valid & self.results.ready),
            a.o.ready.eq(moving),
            b.o.ready.eq(moving),
            self.results_response.ready.eq(1),
        ]
        unanswered = Signal(16)
        asked = self.results_request.valid & self.results_request.ready
        m.d.sync += unanswered.eq(unanswered + asked - self.results_response.valid)

        counters = self.counters
        with m.If(self.status.busy):
            m.d.sync += counters.cycles.eq(counters.cycles + 1)
            with m.If(moving):
                m.d.sync += counters.busy.eq(counters.busy + 1)
            with m.Else():
                m.d.sync += counters.idle_input.eq(counters.idle_input + 1)

        with m.FSM():
            with m.State("read"):
                m.d.comb += self.descriptor.ready.eq(1)
                with m.If(self.descriptor.valid):
                    m.d.sync += [self.status.busy.eq(1), word.eq(word + 1)]
                    with m.If(word < len(words)):
                        m.d.sync += words[word].eq(self.descriptor.payload)
                    with m.If(~self.status.busy):
                        m.d.sync += [getattr(counters, name).eq(0) for name in COUNTER_NAMES]
                    with m.If(word == 31):
                        m.next = "start"
            with m.State("start"):
                m.d.comb += Assert(~(order & Order.BREAK).any(), "order must be kept")
                with m.If(order & Order.FAIL):
                    m.d.sync += self.status.error.eq(terms[4])
                with m.Elif(~(order & Order.HANG).any()):
                    m.d.comb += start.eq(1)
                    m.next = "run"
            with m.State("run"):
                asked_all = masters[0].idle & masters[1].idle & masters[2].idle
                with m.If(asked_all & ((unanswered == 0) | (order & Order.LEAVE).any())):
                    with m.If(order & Order.LAST):
                        m.d.sync += self.status.busy.eq(0)
                    m.next = "read"
        return m


@dataclass(frozen=True, kw_only=True)
class Sum:
    """One order of the stand-in: `beats` beats at byte addresses `a` and `b`, their sum to `total`."""

    beats: int
    a: int
    b: int
    total: int
    order: Order = Order.NONE
    error: int = 0

    @property
    def words(self) -> np.ndarray:
        """The descriptor: (32,) uint32."""
        words = np.zeros(32, np.uint32)
        words[ORDER_WORD] = self.order
        words[TERMS_WORD:TERMS_WORD + 5] = self.beats, self.a, self.b, self.total, self.error
        return words


def run(simulator: Simulator, *orders: Sum, **options) -> Counters:
    """Write descriptors to address 0 and run them; the last one is flagged."""
    *first, last = [order.words for order in orders]
    last[ORDER_WORD] |= Order.LAST
    simulator.memory_write(0, np.concatenate([*first, last]))
    return drive(simulator, 0, len(orders), **options)


def drive(simulator: Simulator, address: int, count: int, wave: Path | None = None, **options) -> Counters:
    """Run the descriptors that lie at `address`, as the driver of every device does."""
    return Driver(SimulatedTransport.over(simulator, wave)).run(address, count, **options)


def golden_sum(a: np.ndarray, b: np.ndarray, beat_bytes: int) -> np.ndarray:
    """Beat by beat a + b modulo the beat, by Python's whole numbers."""
    def beats(data: np.ndarray) -> list[int]:
        return [int.from_bytes(beat.tobytes(), "little") for beat in data.reshape(-1, beat_bytes)]

    sums = [(x + y) % 256**beat_bytes for x, y in zip(beats(a), beats(b), strict=True)]
    return np.frombuffer(b"".join(total.to_bytes(beat_bytes, "little") for total in sums), np.uint8)


def rtl_sum(simulator: Simulator, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The same by the stand-in."""
    simulator.memory_write(A, a)
    simulator.memory_write(B, b)
    run(simulator, Sum(beats=a.nbytes * 8 // simulator.memory_model.beat_bits, a=A, b=B, total=TOTAL))
    return simulator.memory_read(TOTAL, a.nbytes)


@pytest.fixture(scope="session")
def toolchain() -> None:
    """Skips where a tool is missing, by hand only: in CI nothing may be missing."""
    missing = [tool.name for tool in (compiler(), verilator()) if tool.path is None]
    if missing and "CI" not in os.environ:
        pytest.skip(f"not installed: {', '.join(missing)}")


@pytest.fixture(scope="session")
def library(toolchain: None) -> Callable[..., Path]:
    """Makes the simulator library of the stand-in for a beat width, kept in the build cache like any engine's."""
    source = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:16]

    def make(beat_bits: int = 128, trace: bool = False) -> Path:
        return build_library(f"stand-in {source} {beat_bits}",
                             lambda: to_verilog(AxiEngine(AddEngine(beat_bits), beat_bits=beat_bits)), beat_bits, trace)

    return make


@pytest.fixture
def simulator(library: Callable[..., Path]) -> Iterator[Simulator]:
    """The stand-in with 128-bit beats and the default memory."""
    with Simulator(library(), MemoryModel(), MEMORY_BYTES) as simulator:
        yield simulator
