"""A register in a stream passes everything on, at full speed."""

from __future__ import annotations

import cocotb
from amaranth.hdl import unsigned
from benches.case import CASES
from benches.streams import PROFILES, Bench
from cocotb.handle import SimHandleBase

from cortado.gateware.pipeline import StreamRegister

ITEMS = 300


def part(**case: int) -> StreamRegister:
    """The circuit of one case."""
    return StreamRegister(unsigned(case["bits"]))


@cocotb.test()
@cocotb.parametrize(case=list(CASES), profile=list(PROFILES))
async def items_pass_in_order(dut: SimHandleBase, case: str, profile: str) -> None:
    bench = Bench(dut, case, part(**CASES[case]), profile)
    items, passed = bench.source("i"), bench.checked("o")
    values = [bench.rng.getrandbits(CASES[case]["bits"]) for _ in range(ITEMS)]
    items.send(*values)
    passed.expect(*values)
    await bench.reset()
    cycles = await bench.run(60 * ITEMS)
    if profile == "free":
        assert cycles == ITEMS + 1, "one item a cycle"
