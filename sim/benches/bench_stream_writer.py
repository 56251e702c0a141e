"""The writer of a stream against a list of bursts."""

from __future__ import annotations

from collections import deque

import cocotb
from benches.case import CASES
from benches.payload import unpack
from benches.streams import PROFILES, Bench
from cocotb.handle import SimHandleBase

from cortado.gateware.axi import BOUNDARY_BYTES
from cortado.gateware.configuration import BURST_BEATS
from cortado.gateware.stream_reader import REQUEST_LAYOUT
from cortado.gateware.stream_writer import StreamWriter

JOBS = 10
LATENCY_CYCLES = 30
FAILURE_CHANCE = 0.1


def part(**case: int) -> StreamWriter:
    """The circuit of one case."""
    return StreamWriter(**case)


@cocotb.test()
@cocotb.parametrize(case=list(CASES), profile=list(PROFILES))
async def beats_are_written_to_their_addresses(dut: SimHandleBase, case: str, profile: str) -> None:
    beat_bits = CASES[case]["beat_bits"]
    beat_bytes = beat_bits // 8
    bench = Bench(dut, case, part(**CASES[case]), profile)
    rng = bench.rng
    commands, beats, responses = bench.source("command"), bench.source("i"), bench.source("response")
    requests, written = bench.checked("request"), bench.checked("o")
    count = bursts = 0
    for _ in range(JOBS):
        planes, run_beats = rng.randint(1, 4), rng.choice([1, BURST_BEATS, BURST_BEATS + 1, rng.randint(1, 70)])
        address, pitch = rng.randrange(2**20) * beat_bytes, rng.randrange(2**12) * beat_bytes
        commands.send({"address": address, "run_beats": run_beats, "plane_pitch": pitch, "planes": planes})
        for plane in range(planes):
            first, left = address + plane * pitch, run_beats
            while left:
                # A burst ends with its page.
                burst = min(BURST_BEATS, left, (BOUNDARY_BYTES - first % BOUNDARY_BYTES) // beat_bytes)
                requests.expect({"address": first, "beats": burst})
                first, left, bursts = first + burst * beat_bytes, left - burst, bursts + 1
            content = [rng.getrandbits(beat_bits) for _ in range(run_beats)]
            beats.send(*content)
            written.expect(*content)
            count += run_beats

    # The memory answers a burst some time after its last beat.
    asked: deque[int] = deque()
    waiting: deque[int] = deque()
    promised = failures = expected_failures = 0
    request_sink, beat_sink = bench.sinks
    plain_request, plain_beat = request_sink.receive, beat_sink.receive

    def on_request(bits: int) -> None:
        nonlocal promised
        plain_request(bits)
        number = unpack(REQUEST_LAYOUT, bits)["beats"]
        asked.append(number)
        promised += number
        assert promised <= beats.sent, "a burst is asked for when its beats are there"

    def on_beat(bits: int) -> None:
        plain_beat(bits)
        assert written.received <= promised, "no beat may go before its burst has been asked for"

    request_sink.receive, beat_sink.receive = on_request, on_beat
    answered = 0

    def answer() -> None:
        nonlocal answered, expected_failures
        if asked and written.received - answered >= asked[0]:
            answered += asked.popleft()
            waiting.append(bench.cycle + LATENCY_CYCLES)
        if waiting and waiting[0] <= bench.cycle:
            waiting.popleft()
            failed = int(rng.random() < FAILURE_CHANCE)
            expected_failures += failed
            responses.send(failed)

    def look() -> None:
        nonlocal failures
        failures += int(bench.port("failed").value)
        if responses.sent < requests.received:
            assert not int(bench.port("idle").value), "idle means that every burst has been answered"

    bench.on_drive.append(answer)
    bench.on_look.append(look)
    await bench.reset()
    cycles = await bench.run(60 * count + 1000, more=lambda: responses.sent < bursts)
    assert failures == expected_failures
    assert int(bench.port("idle").value) == 1
    if profile == "free":
        limit = count + 2 * bursts + 2 * BURST_BEATS + LATENCY_CYCLES + 20
        assert cycles <= limit, f"{cycles} cycles for {count} beats"
