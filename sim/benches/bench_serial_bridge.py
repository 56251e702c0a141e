"""The bridge from a serial line to registers and memory, against both as dictionaries in Python."""

from __future__ import annotations

import random

import cocotb
from benches.case import CASES
from benches.streams import PROFILES, Bench
from cocotb.handle import SimHandleBase

from cortado.boards.serial_bridge import OKAY, REFUSED, SerialBridge
from cortado.gateware.axi import Response

REQUESTS = 30
# Registers and words from here on refuse.
LIMIT = 0x800


def part() -> SerialBridge:
    """The circuit; there is one case."""
    return SerialBridge()


class Slave:
    """Answers the AXI4-Lite port and the word port, after random waits, from one dictionary each."""

    def __init__(self, bench: Bench) -> None:
        self.bench, self.rng = bench, random.Random("slave")
        self.registers: dict[int, int] = {}
        self.words: dict[int, int] = {}
        self.address: int | None = None
        self.data: int | None = None
        self.shown = {name: 0 for name in ("control.awready", "control.wready", "control.bvalid", "control.bresp",
                                            "control.arready", "control.rvalid", "control.rresp", "control.rdata",
                                            "word.done", "word.answer", "word.failed")}
        bench.on_drive.append(self.drive)
        bench.on_look.append(self.look)

    def value(self, name: str) -> int:
        """A port of the bridge."""
        return int(self.bench.port(name).value)

    def drive(self) -> None:
        """What the slave shows in the next cycle; a ready or a done is for one cycle."""
        for name in ("control.awready", "control.wready", "control.arready"):
            self.shown[name] = int(self.rng.random() < 0.5)
        if self.address is not None and self.data is not None and not self.shown["control.bvalid"]:
            self.shown["control.bvalid"] = 1
            self.shown["control.bresp"] = Response.OKAY if self.address < LIMIT else Response.SLVERR
            if self.address < LIMIT:
                self.registers[self.address] = self.data
            self.address = self.data = None
        for name, value in self.shown.items():
            self.bench.port(name).value = int(value)

    def look(self) -> None:
        """What moves in this cycle."""
        shown = self.shown
        if shown["control.bvalid"] and self.value("control.bready"):
            shown["control.bvalid"] = 0
        if shown["control.rvalid"] and self.value("control.rready"):
            shown["control.rvalid"] = 0
        if self.value("control.awvalid") and shown["control.awready"]:
            self.address = self.value("control.awaddr")
        if self.value("control.wvalid") and shown["control.wready"]:
            assert self.value("control.wstrb") == 0b1111
            self.data = self.value("control.wdata")
        if self.value("control.arvalid") and shown["control.arready"]:
            address = self.value("control.araddr")
            shown.update({"control.rvalid": 1, "control.rdata": self.registers.get(address, 0),
                          "control.rresp": Response.OKAY if address < LIMIT else Response.SLVERR})
        if shown["word.done"]:
            shown["word.done"] = 0
        elif self.value("word.valid") and self.rng.random() < 0.3:
            address, fails = self.value("word.address"), self.value("word.address") >= LIMIT
            if self.value("word.write") and not fails:
                self.words[address] = self.value("word.data")
            shown.update({"word.done": 1, "word.failed": int(fails), "word.answer": self.words.get(address, 0)})


@cocotb.test()
@cocotb.parametrize(case=list(CASES), profile=list(PROFILES))
async def requests_are_answered(dut: SimHandleBase, case: str, profile: str) -> None:
    bench = Bench(dut, case, part(), profile)
    rng, requests, answers = bench.rng, bench.source("i"), bench.checked("o")
    slave = Slave(bench)
    known: dict[int, int] = {}
    written: dict[int, int] = {}
    for number in range(REQUESTS):
        # Noise between requests: anything but the letters of one.
        if number % 5 == 4:
            requests.send(*[0] * 9)
        space = rng.choice([0, 1 << 31])
        address = space | rng.choice([0, 4, 8, rng.randrange(0, LIMIT, 4), LIMIT])
        fails = address & (1 << 31) - 1 >= LIMIT
        data = rng.getrandbits(32)
        if rng.random() < 0.5:
            requests.send(*b"W", *address.to_bytes(4, "little"), *data.to_bytes(4, "little"))
            if not fails:
                known[address] = written[address] = data
            # A word's answer after a write says nothing but that it was written.
            expected = 0 if space else known.get(address, 0)
        else:
            requests.send(*b"R", *address.to_bytes(4, "little"), *bytes(4))
            expected = known.get(address, 0)
        answers.expect(REFUSED if fails else OKAY, *expected.to_bytes(4, "little"))
    await bench.reset()
    await bench.run(400 * REQUESTS)
    assert slave.registers == {address - (1 << 31): value for address, value in written.items() if address >> 31}
    assert slave.words == {address: value for address, value in written.items() if not address >> 31}
