"""The bias against Python's addition."""

from __future__ import annotations

import cocotb
from benches.case import CASES
from benches.streams import PROFILES, Bench
from cocotb.handle import SimHandleBase

from cortado.gateware.bias import Bias
from cortado.gateware.configuration import WinogradConfiguration

TILES = 200
BIAS_BITS = 32
LATENCY_CYCLES = 1


def part(**case: int) -> Bias:
    """The circuit of one case."""
    return Bias(WinogradConfiguration(**case))


@cocotb.test()
@cocotb.parametrize(case=list(CASES), profile=list(PROFILES))
async def sums_have_their_bias(dut: SimHandleBase, case: str, profile: str) -> None:
    configuration = WinogradConfiguration(**CASES[case])
    bench = Bench(dut, case, part(**CASES[case]), profile)
    rng = bench.rng
    results, biased = bench.source("i"), bench.checked("o")

    def number(bits: int) -> int:
        low, high = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
        return rng.choice([low, high, rng.randint(low, high)])

    for _ in range(TILES):
        record = {"bias": number(BIAS_BITS), "multiplier": rng.getrandbits(16), "shift": rng.getrandbits(6),
                  "flags": rng.getrandbits(2), "slope": rng.getrandbits(8)}
        y = [number(configuration.widths.y_bits) for _ in range(configuration.m**2)]
        channel = rng.randrange(configuration.pk)
        results.send({"y": y, "record": record, "channel": channel})
        biased.expect({"sums": [value + record["bias"] for value in y], "record": record, "channel": channel})
    await bench.reset()
    cycles = await bench.run(60 * TILES)
    if profile == "free":
        assert cycles == TILES + LATENCY_CYCLES, "one tile and channel a cycle"
