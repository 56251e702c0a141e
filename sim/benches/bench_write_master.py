"""The writer of bursts against a dictionary of what was written."""

from __future__ import annotations

import cocotb
from benches.axi_memory import AxiMemory
from benches.burst import LARGEST_BEATS, PAGE_BYTES
from benches.case import CASES
from benches.streams import PROFILES, Bench
from cocotb.handle import SimHandleBase

from cortado.gateware.write_master import WriteMaster

BURSTS = 60
LATENCY_CYCLES = 20
STALLS = {"free": 0.0, "starved": 0.5, "pressed": 0.0, "ragged": 0.5}


def part(**case: int) -> WriteMaster:
    """The circuit of one case."""
    return WriteMaster(**case)


class MasterBench:
    """A master with its memory; a beat without strobes is noted as None."""

    def __init__(self, dut: SimHandleBase, case: str, profile: str) -> None:
        self.beat_bits = CASES[case]["beat_bits"]
        self.beat_bytes = self.beat_bits // 8
        self.bench = Bench(dut, case, part(**CASES[case]), profile)
        self.requests, self.beats = self.bench.source("request"), self.bench.source("i")
        self.memory = AxiMemory(self.bench, "memory", beat_bytes=self.beat_bytes, latency_cycles=LATENCY_CYCLES,
                                stall_probability=STALLS[profile])
        self.memory.write = self._write
        self.memory.serve_writes()
        self.written: list[tuple[int, int | None]] = []
        self.bench.port("stop").value = 0

    def _write(self, address: int, beat: int, strobes: int) -> None:
        assert strobes in (0, (1 << self.beat_bytes) - 1), "whole beats or none"
        self.written.append((address, beat if strobes else None))

    def send(self) -> list[tuple[int, int]]:
        """A random burst and its data; addresses and beats."""
        rng = self.bench.rng
        page_beats = PAGE_BYTES // self.beat_bytes
        first = rng.randrange(page_beats)
        count = rng.randint(1, min(LARGEST_BEATS, page_beats - first))
        address = rng.randrange(2**20) * PAGE_BYTES + first * self.beat_bytes
        content = [rng.getrandbits(self.beat_bits) for _ in range(count)]
        self.requests.send({"address": address, "beats": count})
        self.beats.send(*content)
        return [(address + index * self.beat_bytes, beat) for index, beat in enumerate(content)]


@cocotb.test()
@cocotb.parametrize(case=list(CASES), profile=list(PROFILES))
async def bursts_are_written_and_answered(dut: SimHandleBase, case: str, profile: str) -> None:
    master = MasterBench(dut, case, profile)
    bench = master.bench
    responses = bench.checked("response")
    master.memory.write_fails = lambda burst: burst % 5 == 2
    expected, total = [], 0
    for burst in range(BURSTS):
        content = master.send()
        total += len(content)
        failed = master.memory.write_fails(burst)
        expected += [] if failed else content
        responses.expect(int(failed))
    failures = 0

    def look() -> None:
        nonlocal failures
        failures += int(bench.port("failed").value)
        if not master.memory.idle:
            assert not int(bench.port("idle").value), "idle means that every burst has been answered"

    bench.on_look.append(look)
    await bench.reset()
    cycles = await bench.run(40 * total + 1000)
    assert master.written == expected
    assert failures == BURSTS // 5
    assert int(bench.port("idle").value) == 1
    if profile == "free":
        assert cycles <= total + LATENCY_CYCLES + 10, f"{cycles} cycles for {total} beats"


@cocotb.test()
@cocotb.parametrize(case=list(CASES), profile=list(PROFILES), cycles=[0, 1, 5, 17, 60, 200])
async def a_stop_finishes_what_was_asked_for(dut: SimHandleBase, case: str, profile: str, cycles: int) -> None:
    """With beats that write nothing, whatever the writer sends; afterwards all is as before."""
    master = MasterBench(dut, case, profile)
    bench = master.bench
    bench.port("response.ready").value = 1
    content = [master.send() for _ in range(BURSTS)]
    await bench.reset()
    for _ in range(cycles):
        await bench.step()
    bench.port("stop").value = 1
    asked, taken = master.requests.sent, master.beats.sent
    for _ in range(5000):
        await bench.step()
        if int(bench.port("idle").value):
            break
    else:
        raise AssertionError("every burst must be answered")
    assert (master.requests.sent, master.beats.sent) == (asked, taken), "nothing may be taken after the stop"
    assert master.memory.written_bursts == asked
    assert master.memory.idle
    flat = [beat for burst in content[:asked] for beat in burst]
    assert master.written == flat[:taken] + [(address, None) for address, _ in flat[taken:]]

    # The writer starts anew.
    for source in (master.requests, master.beats):
        source.forget()
    bench.port("stop").value = 0
    master.written.clear()
    expected = [beat for _ in range(5) for beat in master.send()]
    await bench.run(4000, more=lambda: not master.memory.idle or not int(bench.port("idle").value))
    assert master.written == expected
