"""The leaky rectifier against exact fractions."""

from __future__ import annotations

from fractions import Fraction

import cocotb
from benches.case import CASES
from benches.streams import PROFILES, Bench
from cocotb.handle import SimHandleBase

from cortado.gateware.channel_record import ChannelFlag
from cortado.gateware.configuration import WinogradConfiguration
from cortado.gateware.leaky_relu import LeakyRelu

TILES = 400
LATENCY_CYCLES = 2


def part(**case: int) -> LeakyRelu:
    """The circuit of one case."""
    return LeakyRelu(WinogradConfiguration(leaky=1, **case))


@cocotb.test()
@cocotb.parametrize(case=list(CASES), profile=list(PROFILES))
async def negative_results_are_scaled_where_asked(dut: SimHandleBase, case: str, profile: str) -> None:
    configuration = WinogradConfiguration(leaky=1, **CASES[case])
    bench = Bench(dut, case, part(**CASES[case]), profile)
    rng = bench.rng
    results, activated = bench.source("i"), bench.checked("o")
    for _ in range(TILES):
        flags, channel = rng.getrandbits(2), rng.randrange(configuration.pk)
        # A half is met by slopes with many factors of two.
        slope = rng.choice([0, 1, 255, 128, 64, 32, rng.getrandbits(8)])
        limit = 2 ** (configuration.data_bits - 1)
        y = [rng.choice([-limit, limit - 1, -1, 0, rng.randint(-limit, limit - 1)])
             for _ in range(configuration.m**2)]
        results.send({"y": y, "flags": flags, "slope": slope, "channel": channel})
        # Python rounds a fraction half to even.
        expected = [round(Fraction(value * slope, 256)) if value < 0 and flags & ChannelFlag.RELU else value
                    for value in y]
        activated.expect({"y": expected, "channel": channel})
    await bench.reset()
    cycles = await bench.run(60 * TILES)
    if profile == "free":
        assert cycles == TILES + LATENCY_CYCLES, "one tile and channel a cycle"
