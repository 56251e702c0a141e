"""Verilog out of Amaranth."""

from __future__ import annotations

import gc
import re

from amaranth.hdl import Module, Signal
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

from cortado.simulation.verilog import to_verilog


class Store(wiring.Component):
    """Two memories, one all zeros and one not, and a counter with an enable."""

    def __init__(self) -> None:
        super().__init__({"i": In(8), "enable": In(1), "zeros": Out(8), "squares": Out(8), "count": Out(4)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        address = Signal(4)
        m.d.sync += address.eq(address + 1)
        with m.If(self.enable):
            m.d.sync += self.count.eq(self.count + 1)
        for name, init in (("zeros", []), ("squares", [index * index % 256 for index in range(16)])):
            m.submodules[name] = store = memory.Memory(shape=8, depth=16, init=init)
            write, read = store.write_port(), store.read_port()
            m.d.comb += [write.addr.eq(address), write.data.eq(self.i), write.en.eq(1), read.addr.eq(address)]
            m.d.comb += getattr(self, name).eq(read.data)
        return m


def test_top_has_its_name_and_ports() -> None:
    text = to_verilog(Store(), "store")
    ports = re.search(r"^module store\((.*?)\);", text, re.MULTILINE | re.DOTALL)[1]
    assert set(re.findall(r"\w+", ports)) == {"i", "enable", "zeros", "squares", "count", "clk", "rst"}


def test_text_has_no_place_and_no_date() -> None:
    text = to_verilog(Store())
    assert text == to_verilog(Store())
    assert "src =" not in text
    assert "/" not in re.sub(r"/\*.*?\*/|//.*", "", text)


def test_memory_of_zeros_is_a_loop_and_no_other() -> None:
    text = to_verilog(Store())
    assert len(re.findall(r"for \(", text)) == 1
    assert len(re.findall(r"\[\d+\] = 8'h", text)) == 16


def test_registers_reset_where_they_are_clocked() -> None:
    text = to_verilog(Store())
    counter = re.search(r"always @\(posedge clk\)\s+if \(rst\) count <= 4'h0;\s+else if \(\w+\) count <=", text)
    assert counter, text


def test_garbage_collection_goes_on_afterwards() -> None:
    assert gc.isenabled()
    to_verilog(Store())
    assert gc.isenabled()
