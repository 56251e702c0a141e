"""The unpacker against the bytes in the order of the memory's layout, written out with loops."""

from __future__ import annotations

import cocotb
from benches.case import CASES
from benches.kernels import without_others
from benches.payload import in_beats
from benches.streams import PROFILES, Bench
from cocotb.handle import SimHandleBase

from cortado.gateware.configuration import WinogradConfiguration
from cortado.gateware.weight_unpacker import WeightUnpacker

BLOCKS = 4
RECORD_BYTES = 8


def part(**case: int) -> WeightUnpacker:
    """The circuit of one case."""
    return WeightUnpacker(WinogradConfiguration(**case))


@cocotb.test()
@cocotb.parametrize(case=list(CASES), profile=list(PROFILES), pointwise=[False, True])
async def records_and_kernels_come_apart(dut: SimHandleBase, case: str, profile: str, pointwise: bool) -> None:
    """Kernels of nine numbers, or of one; blocks whose sums are not finished have no records."""
    configuration = WinogradConfiguration(**CASES[case])
    bench = Bench(dut, case, part(**CASES[case]), profile)
    rng, pairs = bench.rng, configuration.pc * configuration.pk
    size, largest = configuration.weight_bits // 8, 2 ** (configuration.weight_bits - 1) - 1
    taps, step = (1, configuration.points_per_step) if pointwise else (9, configuration.pairs_per_step)
    commands, beats = bench.source("command"), bench.source("i")
    kernels, records = bench.checked("o", without_others), bench.checked("records")
    no_kernels = [[0] * 9] * configuration.pairs_per_step
    no_points = [0] * configuration.points_per_step
    count = 0

    def send(values: list[int]) -> None:
        # Records and passes are filled up to whole beats; what fills them up means nothing.
        nonlocal count
        values = values + [rng.randint(0, 255) for _ in range(-len(values) % configuration.beat_bytes)]
        packed = in_beats(values, configuration.beat_bytes)
        beats.send(*packed)
        count += len(packed)

    for _ in range(BLOCKS):
        channel_blocks, filter_blocks, unfinished = rng.randint(1, 4), rng.randint(1, 4), rng.randrange(2)
        commands.send({"channel_blocks": channel_blocks, "filter_blocks": filter_blocks, "pointwise": int(pointwise),
                       "unfinished": unfinished})
        for _ in range(filter_blocks):
            if not unfinished:
                record = [rng.randint(0, 255) for _ in range(RECORD_BYTES * configuration.pk)]
                send(record)
                records.expect(int.from_bytes(bytes(record), "little"))
            for _ in range(channel_blocks):
                weights = [[rng.randint(-largest - 1, largest) for _ in range(taps)] for _ in range(pairs)]
                send([byte for kernel in weights for value in kernel
                      for byte in value.to_bytes(size, "little", signed=True)])
                for first in range(0, pairs, step):
                    group = weights[first:first + step]
                    kernels.expect({"kernels": no_kernels if pointwise else group,
                                    "points": [point for point, in group] if pointwise else no_points,
                                    "pointwise": int(pointwise), "last": int(first + step == pairs)})
    await bench.reset()
    await bench.run(200 * count + 1000)
