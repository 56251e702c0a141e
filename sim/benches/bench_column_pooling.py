"""The reduction of columns against nested loops."""

from __future__ import annotations

import cocotb
import numpy as np
from benches.case import CASES
from benches.pooling_case import random_case
from benches.streams import PROFILES, Bench
from cocotb.handle import SimHandleBase

from cortado.gateware.column_pooling import ColumnPooling

JOBS = 12


def part(*, lanes: int, beat_bits: int, average: bool) -> ColumnPooling:
    """The circuit of one case."""
    return ColumnPooling(lanes=lanes, beat_bits=beat_bits, average=average)


@cocotb.test()
@cocotb.parametrize(case=list(CASES), profile=list(PROFILES))
async def columns_of_windows_become_one_pixel(dut: SimHandleBase, case: str, profile: str) -> None:
    options = CASES[case]
    lanes, beat_bytes, average = options["lanes"], options["beat_bits"] // 8, options["average"]
    bench = Bench(dut, case, part(**options), profile)
    rng = bench.rng
    commands, rows, windows = bench.source("command"), bench.source("i"), bench.checked("o")
    work = 0
    for _ in range(JOBS):
        job = random_case(rng, lanes=lanes, beat_bytes=beat_bytes, row_beats=4, average=average)
        command, layout = job.command(), job.layout
        commands.send(command)
        # Sums of 256 rows, or single numbers.
        largest = 2**15 if job.average else 2**7
        for plane in range(command["planes"]):
            for row in range(command["output_rows"]):
                numbers = np.random.default_rng(rng.getrandbits(32)).choice(
                    [-largest, largest - 1, rng.randrange(-largest, largest)], (layout.row_pitch,))
                last_row, last_plane = row == command["output_rows"] - 1, plane == command["planes"] - 1
                for place, beat in enumerate(numbers.reshape(layout.row_beats, beat_bytes)):
                    rows.send({"values": beat.tolist(), "last": int(place == layout.row_beats - 1),
                               "last_row": int(last_row), "last_plane": int(last_plane)})
                results = job.reduced(numbers[: layout.width * lanes].reshape(layout.width, lanes), 1)
                for column, pixel in enumerate(results):
                    last = column == len(results) - 1
                    windows.expect({"values": pixel.tolist(), "last": int(last),
                                    "factor": command["factors"][2 * last_row + last] if average else 0})
                # A window may end beyond the map.
                kernel, stride = command["kernel_columns"], command["column_stride"]
                work += (len(results) - 1) * stride + kernel + layout.row_beats + 2
    await bench.reset()
    cycles = await bench.run(60 * work)
    if profile == "free":
        assert cycles <= work + 10, f"{cycles} cycles for {work} columns and rows"
