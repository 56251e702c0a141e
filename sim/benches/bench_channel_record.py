"""Records joining their results, against a loop over filter blocks."""

from __future__ import annotations

import cocotb
from benches.case import CASES
from benches.payload import pack, unpack
from benches.streams import PROFILES, Bench
from cocotb.handle import SimHandleBase

from cortado.gateware.channel_record import RECORD_LAYOUT, ChannelRecords
from cortado.gateware.configuration import WinogradConfiguration

FILTER_BLOCKS = 40


def part(**case: int) -> ChannelRecords:
    """The circuit of one case."""
    return ChannelRecords(WinogradConfiguration(**case))


@cocotb.test()
@cocotb.parametrize(case=list(CASES), profile=list(PROFILES))
async def each_result_gets_its_channels_record(dut: SimHandleBase, case: str, profile: str) -> None:
    configuration = WinogradConfiguration(**CASES[case])
    bench = Bench(dut, case, part(**CASES[case]), profile)
    rng, bits = bench.rng, configuration.widths.y_bits
    results, records, recorded = bench.source("i"), bench.source("i_records"), bench.checked("o")
    count = 0
    for _ in range(FILTER_BLOCKS):
        block = [unpack(RECORD_LAYOUT, rng.getrandbits(64)) for _ in range(configuration.pk)]
        records.send(sum(pack(RECORD_LAYOUT, record) << 64 * k for k, record in enumerate(block)))
        tiles = rng.randint(1, 4)
        for tile in range(tiles):
            for channel, record in enumerate(block):
                y = [rng.randrange(-2 ** (bits - 1), 2 ** (bits - 1)) for _ in range(configuration.m**2)]
                last = int(tile == tiles - 1 and channel == configuration.pk - 1)
                results.send({"y": y, "channel": channel, "last": last})
                recorded.expect({"y": y, "record": record, "channel": channel})
                count += 1
    await bench.reset()
    await bench.run(100 * count)
