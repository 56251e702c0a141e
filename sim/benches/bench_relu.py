"""The rectifier against max()."""

from __future__ import annotations

import cocotb
from benches.case import CASES
from benches.streams import PROFILES, Bench
from cocotb.handle import SimHandleBase

from cortado.gateware.channel_record import ChannelFlag
from cortado.gateware.configuration import WinogradConfiguration
from cortado.gateware.relu import Relu

TILES = 200


def part(**case: int) -> Relu:
    """The circuit of one case."""
    return Relu(WinogradConfiguration(**case))


@cocotb.test()
@cocotb.parametrize(case=list(CASES), profile=list(PROFILES))
async def negative_results_become_zero_where_asked(dut: SimHandleBase, case: str, profile: str) -> None:
    configuration = WinogradConfiguration(**CASES[case])
    bench = Bench(dut, case, part(**CASES[case]), profile)
    rng = bench.rng
    results, activated = bench.source("i"), bench.checked("o")
    for _ in range(TILES):
        flags, channel = rng.getrandbits(2), rng.randrange(configuration.pk)
        limit = 2 ** (configuration.data_bits - 1)
        y = [rng.randint(-limit, limit - 1) for _ in range(configuration.m**2)]
        results.send({"y": y, "flags": flags, "channel": channel})
        activated.expect({"y": [max(0, value) for value in y] if flags & ChannelFlag.RELU else y, "channel": channel})
    await bench.reset()
    cycles = await bench.run(60 * TILES)
    if profile == "free":
        assert cycles == TILES, "no cycle is lost"
