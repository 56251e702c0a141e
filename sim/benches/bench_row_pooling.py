"""The reduction of rows against nested loops."""

from __future__ import annotations

import cocotb
from benches.case import CASES
from benches.pooling_case import random_case
from benches.streams import PROFILES, Bench
from cocotb.handle import SimHandleBase

from cortado.gateware.row_pooling import RowPooling

JOBS = 8


def part(*, beat_bits: int, row_beats: int, average: bool) -> RowPooling:
    """The circuit of one case."""
    return RowPooling(beat_bits=beat_bits, row_beats=row_beats, average=average)


@cocotb.test()
@cocotb.parametrize(case=list(CASES), profile=list(PROFILES))
async def rows_of_windows_become_one(dut: SimHandleBase, case: str, profile: str) -> None:
    options = CASES[case]
    bench = Bench(dut, case, part(**options), profile)
    commands, beats, rows = bench.source("command"), bench.source("i"), bench.checked("o")
    work = 0
    for _ in range(JOBS):
        job = random_case(bench.rng, lanes=1, beat_bytes=options["beat_bits"] // 8, row_beats=options["row_beats"],
                          average=options["average"])
        commands.send(job.command())
        planes = job.beats()
        for number, plane in enumerate(planes):
            beats.send(*(int.from_bytes(beat.tobytes(), "little") for row in plane for beat in row))
            results = job.reduced(plane, 0)
            for index, row in enumerate(results):
                for place, beat in enumerate(row):
                    rows.expect({"values": beat.tolist(), "last": int(place == len(row) - 1),
                                 "last_row": int(index == len(results) - 1),
                                 "last_plane": int(number == len(planes) - 1)})
            work += plane.shape[0] * plane.shape[1] + results.shape[0] * results.shape[1] + 10
    await bench.reset()
    await bench.run(60 * work)


@cocotb.test()
@cocotb.parametrize(case=list(CASES))
async def a_beat_a_cycle_goes_in(dut: SimHandleBase, case: str) -> None:
    """Rows of several beats, with a window's end on every second row or on each."""
    options = CASES[case]
    bench = Bench(dut, case, part(**options), "free")
    commands, beats = bench.source("command"), bench.source("i")
    bench.sink("o", lambda bits: None)
    row_beats, count = options["row_beats"], 0
    for stride in (1, 2):
        command = {"planes": 2, "input_rows": 12, "input_row_beats": row_beats, "input_columns": 1, "top_rows": 0,
                   "left_columns": 0, "kernel_rows": 2, "kernel_columns": 1, "row_stride": stride, "column_stride": 1,
                   "output_rows": 12 - 1 if stride == 1 else 6, "output_columns": 1, "average": 0,
                   "factors": [{"multiplier": 1, "shift": 0}] * 4}
        commands.send(command)
        count += 2 * 12 * row_beats
        beats.send(*(bench.rng.getrandbits(options["beat_bits"]) for _ in range(2 * 12 * row_beats)))
    await bench.reset()
    cycles = await bench.run(100 * count)
    assert cycles <= (count if row_beats > 1 else 2 * count) + 10, f"{cycles} cycles for {count} beats"
