"""The reader against nested loops over planes, runs and beats, with a memory that answers in order."""

from __future__ import annotations

from collections import deque

import cocotb
from benches.burst import cut
from benches.case import CASES
from benches.payload import unpack
from benches.streams import PROFILES, Bench
from cocotb.handle import SimHandleBase

from cortado.gateware.configuration import BURST_BEATS, PREFETCH_BEATS
from cortado.gateware.stream_reader import REQUEST_LAYOUT, StreamReader

COMMANDS = 12
LATENCY_CYCLES = 40


def part(**case: int) -> StreamReader:
    """The circuit of one case."""
    return StreamReader(**case)


def content(address: int, beat_bits: int) -> int:
    """What memory holds at an address: a number that no other address has, at both ends of the beat."""
    return address | address << beat_bits - 32


@cocotb.test()
@cocotb.parametrize(case=list(CASES), profile=list(PROFILES))
async def runs_are_read_in_order(dut: SimHandleBase, case: str, profile: str) -> None:
    beat_bits = CASES[case]["beat_bits"]
    beat_bytes = beat_bits // 8
    bench = Bench(dut, case, part(**CASES[case]), profile)
    rng = bench.rng
    commands, answers, beats_out = bench.source("command"), bench.source("i"), bench.checked("o")
    total = 0
    bursts: list[dict[str, int]] = []
    for _ in range(COMMANDS):
        command = {
            "address": rng.randrange(2**20) * beat_bytes,
            "run_beats": rng.choice([1, 2, BURST_BEATS - 1, BURST_BEATS, BURST_BEATS + 1, rng.randint(1, 70)]),
            "run_pitch": rng.randrange(2**10) * beat_bytes,
            "runs": rng.randint(1, 4),
            "plane_pitch": rng.randrange(2**15) * beat_bytes,
            "planes": rng.randint(1, 3),
        }
        commands.send(command)
        for plane in range(command["planes"]):
            for run in range(command["runs"]):
                first = command["address"] + plane * command["plane_pitch"] + run * command["run_pitch"]
                for beat in range(command["run_beats"]):
                    beats_out.expect(content(first + beat * beat_bytes, beat_bits))
                bursts += cut(first, command["run_beats"], beat_bytes)
                total += command["run_beats"]

    waiting: deque[tuple[int, int]] = deque()  # cycle from which a beat may be answered, its content
    asked = 0

    def request(bits: int) -> None:
        nonlocal asked
        burst = unpack(REQUEST_LAYOUT, bits)
        assert bursts, f"a burst too many: {burst}"
        assert burst == bursts.pop(0)
        asked += burst["beats"]
        assert asked - beats_out.received <= PREFETCH_BEATS, "no burst is asked for without room for all of it"
        waiting.extend((bench.cycle + LATENCY_CYCLES, content(burst["address"] + beat * beat_bytes, beat_bits))
                       for beat in range(burst["beats"]))

    def answer() -> None:
        if waiting and waiting[0][0] <= bench.cycle:
            answers.send(waiting.popleft()[1])

    def never_waits() -> None:
        if not answers.drained:
            assert int(bench.port("i.ready").value), "the memory never waits for the reader"

    bench.sink("request", request)
    bench.on_drive.append(answer)
    bench.on_look.append(never_waits)
    await bench.reset()
    cycles = await bench.run(60 * total + 1000, more=lambda: bool(bursts))
    if profile == "free":
        # Full speed once the first answer is there; runs of one beat cost no more than their requests.
        assert cycles <= total + LATENCY_CYCLES + 3 * COMMANDS + 8, f"{cycles} cycles for {total} beats"
