"""The arbiter against a memory that answers IDs in any order."""

from __future__ import annotations

import cocotb
from benches.axi_memory import AxiMemory
from benches.burst import LARGEST_BEATS, PAGE_BYTES
from benches.case import CASES
from benches.streams import PROFILES, Bench
from cocotb.handle import SimHandleBase

from cortado.gateware.read_arbiter import ReadArbiter

BURSTS = 24
LATENCY_CYCLES = 20
STALLS = {"free": 0.0, "starved": 0.5, "pressed": 0.0, "ragged": 0.5}


def part(**case: int) -> ReadArbiter:
    """The circuit of one case."""
    return ReadArbiter(**case)


class ArbiterBench:
    """An arbiter with its readers and its memory; every address holds a number of its own."""

    def __init__(self, dut: SimHandleBase, case: str, profile: str) -> None:
        self.names, beat_bits = CASES[case]["readers"], CASES[case]["beat_bits"]
        self.readers = len(self.names)
        self.beat_bytes = beat_bits // 8
        self.bench = Bench(dut, case, part(**CASES[case]), profile)
        self.requests = [self.bench.source(f"{name}_request") for name in self.names]
        self.memory = AxiMemory(self.bench, "memory", beat_bytes=self.beat_bytes, latency_cycles=LATENCY_CYCLES,
                                stall_probability=STALLS[profile])
        self.memory.read = lambda address: address | address << beat_bits - 32
        self.memory.serve_reads()
        self.bench.port("stop").value = 0

    def burst(self) -> dict[str, int]:
        """A random one that stays in its page."""
        rng = self.bench.rng
        page_beats = PAGE_BYTES // self.beat_bytes
        first = rng.randrange(page_beats)
        beats = rng.randint(1, min(LARGEST_BEATS, page_beats - first))
        return {"address": rng.randrange(2**20) * PAGE_BYTES + first * self.beat_bytes, "beats": beats}


@cocotb.test()
@cocotb.parametrize(case=list(CASES), profile=list(PROFILES))
async def each_reader_gets_its_beats_in_order(dut: SimHandleBase, case: str, profile: str) -> None:
    arbiter = ArbiterBench(dut, case, profile)
    bench, memory = arbiter.bench, arbiter.memory
    checkers = [bench.checked(name) for name in arbiter.names]
    memory.read_fails = lambda identity, burst: burst % 7 == 3 + identity
    beats = [0] * arbiter.readers
    expected_failures = [0] * arbiter.readers
    for index in range(arbiter.readers):
        for number in range(BURSTS):
            burst = arbiter.burst()
            arbiter.requests[index].send(burst)
            beats[index] += burst["beats"]
            expected_failures[index] += burst["beats"] if memory.read_fails(index, number) else 0
            checkers[index].expect(*(memory.read(burst["address"] + beat * arbiter.beat_bytes)
                                     for beat in range(burst["beats"])))
    failures = [0] * arbiter.readers

    def look() -> None:
        for index, name in enumerate(arbiter.names):
            failures[index] += int(bench.port(f"{name}_failed").value)
        if not memory.idle:
            assert not int(bench.port("idle").value), "idle means that every burst has been answered"

    bench.on_look.append(look)
    await bench.reset()
    cycles = await bench.run(40 * sum(beats) + 1000)
    assert int(bench.port("idle").value) == 1
    assert failures == expected_failures
    assert memory.read_bursts == dict.fromkeys(range(arbiter.readers), BURSTS)
    if profile == "free":
        # A beat in every cycle, once the first is there, however short the bursts.
        assert cycles <= sum(beats) + LATENCY_CYCLES + 10, f"{cycles} cycles for {sum(beats)} beats"


@cocotb.test()
@cocotb.parametrize(case=list(CASES), profile=list(PROFILES), cycles=[0, 1, 5, 17, 60])
async def a_stop_sees_every_burst_through(dut: SimHandleBase, case: str, profile: str, cycles: int) -> None:
    """No request goes out after it, no beat comes in, and afterwards all is as before."""
    arbiter = ArbiterBench(dut, case, profile)
    bench, memory = arbiter.bench, arbiter.memory
    received: list[list[int]] = [[] for _ in range(arbiter.readers)]
    bursts = [[arbiter.burst() for _ in range(BURSTS)] for _ in range(arbiter.readers)]
    for request, wanted in zip(arbiter.requests, bursts, strict=True):
        request.send(*wanted)

    def drive() -> None:
        for name in arbiter.names:
            bench.port(f"{name}.ready").value = int(bench.rng.random() >= STALLS[profile])

    def look() -> None:
        # Unlike elsewhere a beat that was shown may go away: its reader is reset in the cycle of the stop.
        for name, beats in zip(arbiter.names, received, strict=True):
            if int(bench.port(f"{name}.valid").value) and int(bench.port(f"{name}.ready").value):
                beats.append(int(bench.port(f"{name}.payload").value))

    bench.on_drive.append(drive)
    bench.on_look.append(look)
    await bench.reset()
    for _ in range(cycles):
        await bench.step()
    bench.port("stop").value = 1
    before = [list(beats) for beats in received]
    sent = [request.sent for request in arbiter.requests]
    for _ in range(5000):
        await bench.step()
        if int(bench.port("idle").value):
            break
    else:
        raise AssertionError("every burst must be answered")
    assert memory.idle
    assert received == before, "no beat may come after the stop"
    assert [request.sent for request in arbiter.requests] == sent, "no request may be taken after the stop"
    assert [memory.read_bursts.get(index, 0) for index in range(arbiter.readers)] == sent

    bench.port("stop").value = 0
    left = [wanted[done:] for wanted, done in zip(bursts, sent, strict=True)]
    total = sum(burst["beats"] for wanted in left for burst in wanted)
    await bench.run(40 * total + 1000, more=lambda: sum(map(len, received)) - sum(map(len, before)) < total)
    for index in range(arbiter.readers):
        assert received[index][len(before[index]):] == [
            memory.read(burst["address"] + beat * arbiter.beat_bytes)
            for burst in left[index] for beat in range(burst["beats"])]
