"""The maximum of columns, a beat at a time, against nested loops."""

from __future__ import annotations

import cocotb
import numpy as np
from benches.case import CASES
from benches.payload import unpack
from benches.pooling_case import random_case
from benches.streams import PROFILES, Bench
from cocotb.handle import SimHandleBase

from cortado.gateware.column_maximum import LARGEST_STEP, WIDEST, ColumnMaximum

JOBS = 25


def part(*, lanes: int, beat_bits: int, average: bool) -> ColumnMaximum:
    """The circuit of one case."""
    return ColumnMaximum(lanes=lanes, beat_bits=beat_bits, average=average)


@cocotb.test()
@cocotb.parametrize(case=list(CASES), profile=list(PROFILES))
async def columns_of_windows_become_pixels(dut: SimHandleBase, case: str, profile: str) -> None:
    options = CASES[case]
    lanes, beat_bytes = options["lanes"], options["beat_bits"] // 8
    bench = Bench(dut, case, part(**options), profile)
    rng = bench.rng
    commands, rows = bench.source("command"), bench.source("i")
    expected: list[list[int]] = []
    work = jobs = 0
    while jobs < JOBS:
        job = random_case(rng, lanes=lanes, beat_bytes=beat_bytes, row_beats=5, average=False)
        command, layout = job.command(), job.layout
        if command["kernel_columns"] > WIDEST or command["column_stride"] > LARGEST_STEP:
            continue
        jobs += 1
        commands.send(command)
        for plane in range(command["planes"]):
            for row in range(command["output_rows"]):
                numbers = np.random.default_rng(rng.getrandbits(32)).integers(-128, 128, (layout.row_pitch,))
                for place, beat in enumerate(numbers.reshape(layout.row_beats, beat_bytes)):
                    rows.send({"values": beat.tolist(), "last": int(place == layout.row_beats - 1),
                               "last_row": int(row == command["output_rows"] - 1),
                               "last_plane": int(plane == command["planes"] - 1)})
                results = job.reduced(numbers[: layout.width * lanes].reshape(layout.width, lanes), 1)
                expected.append([int.from_bytes(bytes(value & 255 for value in pixel), "little")
                                 for pixel in results.tolist()])
                # One cycle more where windows reach behind the last beat.
                start = (len(results) - 1) * command["column_stride"] - command["left_columns"]
                end = start + command["kernel_columns"]
                work += layout.row_beats + (end > layout.row_pitch // lanes)

    row: list[int] = []
    received: list[list[int]] = []

    def receive(bits: int) -> None:
        group = unpack(bench.shape("o"), bits)
        assert group["count"] >= 1, "a group holds a pixel"
        row.extend(group["pixels"][: group["count"]])
        if group["last"]:
            number = len(received)
            assert row == expected[number], f"row {number} must be {expected[number]}, not {row}"
            received.append(row.copy())
            row.clear()

    bench.sink("o", receive)
    await bench.reset()
    cycles = await bench.run(60 * work, more=lambda: len(received) < len(expected))
    assert not row
    assert len(received) == len(expected)
    if profile == "free":
        assert cycles <= work + 2 * JOBS, f"{cycles} cycles for {work} beats and ends of rows"
