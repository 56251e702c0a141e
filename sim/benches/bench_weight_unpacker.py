"""The unpacker against the bytes in the order of the memory's layout, written out with loops."""

from __future__ import annotations

import cocotb
from benches.case import CASES
from benches.payload import in_beats
from benches.streams import PROFILES, Bench
from cocotb.handle import SimHandleBase

from cortado.gateware.configuration import WinogradConfiguration
from cortado.gateware.weight_unpacker import WeightUnpacker

BLOCKS = 6
RECORD_BYTES = 8


def part(**case: int) -> WeightUnpacker:
    """The circuit of one case."""
    return WeightUnpacker(WinogradConfiguration(**case))


@cocotb.test()
@cocotb.parametrize(case=list(CASES), profile=list(PROFILES))
async def records_and_kernels_come_apart(dut: SimHandleBase, case: str, profile: str) -> None:
    configuration = WinogradConfiguration(**CASES[case])
    bench = Bench(dut, case, part(**CASES[case]), profile)
    rng, step = bench.rng, configuration.pairs_per_step
    commands, beats = bench.source("command"), bench.source("i")
    kernels, records = bench.checked("o"), bench.checked("records")
    count = 0

    def send(values: list[int]) -> None:
        # Records and passes are filled up to whole beats; what fills them up means nothing.
        nonlocal count
        values = values + [rng.randint(0, 255) for _ in range(-len(values) % configuration.beat_bytes)]
        packed = in_beats(values, configuration.beat_bytes)
        beats.send(*packed)
        count += len(packed)

    for _ in range(BLOCKS):
        channel_blocks, filter_blocks = rng.randint(1, 4), rng.randint(1, 4)
        commands.send({"channel_blocks": channel_blocks, "filter_blocks": filter_blocks})
        for _ in range(filter_blocks):
            record = [rng.randint(0, 255) for _ in range(RECORD_BYTES * configuration.pk)]
            send(record)
            records.expect(int.from_bytes(bytes(record), "little"))
            for _ in range(channel_blocks):
                pairs = [[rng.randint(-128, 127) for _ in range(9)]
                         for _ in range(configuration.pc * configuration.pk)]
                send([value & 255 for pair in pairs for value in pair])
                for first in range(0, len(pairs), step):
                    kernels.expect({"kernels": pairs[first:first + step], "last": int(first + step == len(pairs))})
    await bench.reset()
    await bench.run(200 * count + 1000)
