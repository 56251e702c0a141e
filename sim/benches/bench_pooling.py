"""Pooling of whole maps against `IntegerPooling.golden`."""

from __future__ import annotations

import cocotb
from benches.case import CASES
from benches.pooling_case import random_case
from benches.streams import PROFILES, Bench
from cocotb.handle import SimHandleBase

from cortado.gateware.pooling import Pooling

JOBS = 10


def part(**case: int) -> Pooling:
    """The circuit of one case."""
    return Pooling(**case)


@cocotb.test()
@cocotb.parametrize(case=list(CASES), profile=list(PROFILES))
async def jobs_back_to_back_equal_golden(dut: SimHandleBase, case: str, profile: str) -> None:
    options = CASES[case]
    beat_bytes = options["beat_bits"] // 8
    bench = Bench(dut, case, part(**options), profile)
    commands, beats, results = bench.source("command"), bench.source("i"), bench.checked("o")
    work = 0
    for _ in range(JOBS):
        job = random_case(bench.rng, lanes=options["lanes"], beat_bytes=beat_bytes, row_beats=options["row_beats"],
                          average=options["average"])
        commands.send(job.command())
        content = job.beats().reshape(-1, beat_bytes)
        beats.send(*(int.from_bytes(beat.tobytes(), "little") for beat in content))
        packed = job.target.pack(job.pooling.golden(job.maps)).reshape(-1, beat_bytes)
        results.expect(*(int.from_bytes(beat.tobytes(), "little") for beat in packed))
        work += job.maps.size + len(packed) * beat_bytes + 100
    await bench.reset()
    await bench.run(60 * work)
