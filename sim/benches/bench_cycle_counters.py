"""The counters against a list of what each cycle was."""

from __future__ import annotations

from collections import deque

import cocotb
from benches.case import CASES
from benches.streams import Bench
from cocotb.handle import SimHandleBase

from cortado.gateware.cycle_counters import CycleCounters

CYCLES = 3000
# From a cycle to the counters that show it.
LATENCY = 3
# The first of these that holds has the cycle.
CAUSES = ("output", "drain", "weights", "hazard", "input", "finish")


def part(**case: int) -> CycleCounters:
    """The circuit of one case."""
    return CycleCounters(**case)


@cocotb.test()
@cocotb.parametrize(case=list(CASES))
async def every_cycle_is_counted_once(dut: SimHandleBase, case: str) -> None:
    bench = Bench(dut, case, part(**CASES[case]), "free")
    expected = dict.fromkeys(("cycles", "busy", "idle_setup", *(f"idle_{cause}" for cause in CAUSES)), 0)

    def read() -> dict[str, int]:
        return {name: int(bench.port(f"counters.{name}").value) for name in expected}

    for name in ("clear", "running", "busy", *(f"is_{cause}" for cause in CAUSES)):
        bench.port(name).value = 0
    await bench.reset()
    shown = deque([expected] * LATENCY)
    for _ in range(CYCLES):
        assert read() == shown.popleft()
        chance = bench.rng.choice([0.1, 0.5])
        is_so = {name: bench.rng.random() < chance for name in ("busy", *(f"is_{cause}" for cause in CAUSES))}
        is_so["running"] = bench.rng.random() < 0.9
        is_so["clear"] = bench.rng.random() < 0.01
        for name, holds in is_so.items():
            bench.port(name).value = int(holds)
        expected = dict(expected)
        if is_so["clear"]:
            expected = dict.fromkeys(expected, 0)
        elif is_so["running"]:
            expected["cycles"] += 1
            cause = next((cause for cause in CAUSES if is_so[f"is_{cause}"]), "setup")
            expected["busy" if is_so["busy"] else f"idle_{cause}"] += 1
        shown.append(expected)
        await bench.step()
    assert sum(expected.values()) == 2 * expected["cycles"]
