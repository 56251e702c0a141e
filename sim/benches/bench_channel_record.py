"""Records joining their results, against a loop over filter blocks."""

from __future__ import annotations

from functools import partial

import cocotb
from benches.case import CASES
from benches.payload import pack, unpack
from benches.streams import PROFILES, Bench, StreamSource
from cocotb.handle import SimHandleBase

from cortado.gateware.channel_record import RECORD_LAYOUT, ChannelRecords
from cortado.gateware.configuration import WinogradConfiguration

FILTER_BLOCKS = 40
# Records sent before the results of a filter block begin.
RECORDS_AHEAD = 2


def send(source: StreamSource, values: list[dict]) -> None:
    """Send the results of one filter block."""
    source.send(*values)


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
    count, waiting = 0, []
    for _ in range(FILTER_BLOCKS):
        block = [unpack(RECORD_LAYOUT, rng.getrandbits(64)) for _ in range(configuration.pk)]
        # Records are there first, as behind the multipliers: results follow when the records after the next are sent.
        values = []
        waiting.append(values)
        word = sum(pack(RECORD_LAYOUT, record) << 64 * k for k, record in enumerate(block))
        if len(waiting) <= RECORDS_AHEAD:
            records.send(word)
        else:
            records.send_then(word, partial(send, results, waiting[-1 - RECORDS_AHEAD]))
        tiles = rng.randint(1, 4)
        for tile in range(tiles):
            for channel, record in enumerate(block):
                y = [rng.randrange(-2 ** (bits - 1), 2 ** (bits - 1)) for _ in range(configuration.m**2)]
                last = int(tile == tiles - 1 and channel == configuration.pk - 1)
                values.append({"y": y, "channel": channel, "last": last})
                recorded.expect({"y": y, "record": record, "channel": channel})
                count += 1
    for values in waiting[-RECORDS_AHEAD:]:
        records.send_then(0, partial(send, results, values))
    await bench.reset()
    await bench.run(100 * count)


@cocotb.test()
@cocotb.parametrize(case=list(CASES))
async def records_of_every_waiting_sum_fit(dut: SimHandleBase, case: str) -> None:
    """Of the last channel pass all records come before the first result, as many as there are accumulators."""
    configuration = WinogradConfiguration(**CASES[case])
    bench = Bench(dut, case, part(**CASES[case]), "free")
    results, records, recorded = bench.source("i"), bench.source("i_records"), bench.checked("o")
    blocks = [[unpack(RECORD_LAYOUT, bench.rng.getrandbits(64)) for _ in range(configuration.pk)]
              for _ in range(configuration.tiles)]
    for block in blocks:
        records.send(sum(pack(RECORD_LAYOUT, record) << 64 * k for k, record in enumerate(block)))
    await bench.reset()
    await bench.run(2 * configuration.tiles + 10)
    y = [0] * configuration.m**2
    for block in blocks:
        for channel, record in enumerate(block):
            results.send({"y": y, "channel": channel, "last": int(channel == configuration.pk - 1)})
            recorded.expect({"y": y, "record": record, "channel": channel})
    await bench.run(2 * configuration.tiles * configuration.pk + 10)
