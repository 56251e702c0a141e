"""The gate before a pipeline that may not wait, against the room in the queue behind it."""

from __future__ import annotations

import cocotb
from amaranth.hdl import unsigned
from benches.case import CASES
from benches.streams import PROFILES, Bench
from cocotb.handle import SimHandleBase

from cortado.gateware.credit_gate import CreditGate

ITEMS = 200
# Chance that an item leaves the queue in a cycle.
LEAVES = {"free": 1.0, "starved": 0.9, "pressed": 0.2, "ragged": 0.5}


def part(**case: int) -> CreditGate:
    """The circuit of one case."""
    return CreditGate(unsigned(8), **case)


@cocotb.test()
@cocotb.parametrize(case=list(CASES), profile=list(PROFILES))
async def no_more_pass_than_there_is_room_for(dut: SimHandleBase, case: str, profile: str) -> None:
    bench = Bench(dut, case, part(**CASES[case]), profile)
    credits, source, passed = CASES[case]["credits"], bench.source("i"), bench.checked("o")
    # The pipeline behind the gate never waits: that is what the gate is for.
    bench.sinks[0].open = True
    values = [bench.rng.randrange(256) for _ in range(ITEMS)]
    source.send(*values)
    passed.expect(*values)
    left = most = 0

    def take_back() -> None:
        nonlocal left
        leaves = passed.received > left and bench.rng.random() < LEAVES[profile]
        bench.port("back").value = int(leaves)
        left += leaves

    def look() -> None:
        nonlocal most
        most = max(most, passed.received - left)
        assert passed.received - left <= credits, f"the queue holds {credits}, not {passed.received - left}"

    bench.on_drive.append(take_back)
    bench.on_look.append(look)
    await bench.reset()
    await bench.run(60 * ITEMS)
    if profile == "pressed":
        assert most >= credits - 1, f"all but the last credit are used, not {most} of {credits}"
