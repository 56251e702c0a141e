"""The writer against a memory written row by row in Python."""

from __future__ import annotations

from collections import deque

import cocotb
from benches.burst import cut
from benches.case import CASES
from benches.payload import unpack
from benches.streams import PROFILES, Bench
from cocotb.handle import SimHandleBase

from cortado.gateware.configuration import WinogradConfiguration
from cortado.gateware.row_writer import RowWriter
from cortado.gateware.stream_reader import REQUEST_LAYOUT

BLOCKS = 6
LATENCY_CYCLES = 30
FAILURE_CHANCE = 0.1


def part(**case: int) -> RowWriter:
    """The circuit of one case."""
    return RowWriter(WinogradConfiguration(**case))


@cocotb.test()
@cocotb.parametrize(case=list(CASES), profile=list(PROFILES))
async def rows_are_written_to_their_addresses(dut: SimHandleBase, case: str, profile: str) -> None:
    configuration = WinogradConfiguration(**CASES[case])
    beat_bytes = configuration.beat_bytes
    segment_bytes = configuration.m * configuration.pk * configuration.data_bits // 8
    bench = Bench(dut, case, part(**CASES[case]), profile)
    rng = bench.rng
    commands, segments, responses = bench.source("command"), bench.source("i"), bench.source("response")
    requests, beats = bench.checked("request"), bench.checked("o")
    work = bursts = 0
    for _ in range(BLOCKS):
        columns = rng.choice([1, 2, rng.randint(1, 60)])
        output_rows, filter_blocks = rng.randint(1, 7), rng.randint(1, 3)
        row_bytes = columns * segment_bytes
        # The output may end anywhere within the last tile, whose rows may be several beats.
        row_beats = rng.randint((row_bytes - segment_bytes) // beat_bytes + 1, -(-row_bytes // beat_bytes))
        joined = rng.random() < 0.5
        row_pitch = row_beats * beat_bytes if joined else rng.randrange(2**10) * beat_bytes
        command = {"filter_blocks": filter_blocks, "output_address": rng.randrange(2**20) * beat_bytes,
                   "output_plane_pitch": rng.randrange(2**15) * beat_bytes, "output_row_pitch": row_pitch,
                   "output_rows": output_rows, "output_row_beats": row_beats, "joined_rows": int(joined)}
        commands.send(command)
        for plane in range(filter_blocks):
            for row in range(output_rows):
                content = bytes(rng.randint(0, 255) for _ in range(row_bytes))
                for first in range(0, row_bytes, segment_bytes):
                    segments.send({"pixels": int.from_bytes(content[first:first + segment_bytes], "little"),
                                   "first": int(first == 0), "last": int(first + segment_bytes == row_bytes)})
                address = command["output_address"] + plane * command["output_plane_pitch"] + row * row_pitch
                # The rows of a row of tiles are one run where they are joined.
                run_rows = min(configuration.m, output_rows - row) * (row % configuration.m == 0) if joined else 1
                expected = cut(address, run_rows * row_beats, beat_bytes)
                requests.expect(*expected)
                bursts += len(expected)
                beats.expect(*(int.from_bytes(content[first:first + beat_bytes], "little")
                               for first in range(0, row_beats * beat_bytes, beat_bytes)))
                work += columns + row_beats

    # The memory answers a burst some time after its last beat.
    asked: deque[int] = deque()
    waiting: deque[int] = deque()
    taken = done = failures = expected_failures = 0
    request_sink, beat_sink = bench.sinks
    plain_request, plain_beat = request_sink.receive, beat_sink.receive

    def on_request(bits: int) -> None:
        plain_request(bits)
        asked.append(unpack(REQUEST_LAYOUT, bits)["beats"])

    def on_beat(bits: int) -> None:
        nonlocal taken
        plain_beat(bits)
        taken += 1

    request_sink.receive, beat_sink.receive = on_request, on_beat

    def answer() -> None:
        nonlocal taken, expected_failures
        if asked and taken >= asked[0]:
            taken -= asked.popleft()
            waiting.append(bench.cycle + LATENCY_CYCLES)
        if waiting and waiting[0] <= bench.cycle:
            waiting.popleft()
            failed = int(rng.random() < FAILURE_CHANCE)
            expected_failures += failed
            responses.send(failed)

    def look() -> None:
        nonlocal done, failures
        done += int(bench.port("block_done").value)
        failures += int(bench.port("failed").value)
        if responses.sent < requests.received:
            assert not int(bench.port("idle").value), "idle means that every burst has been answered"

    bench.on_drive.append(answer)
    bench.on_look.append(look)
    await bench.reset()
    await bench.run(60 * work + 1000, more=lambda: responses.sent < bursts)
    assert (done, failures) == (BLOCKS, expected_failures)
    assert int(bench.port("idle").value) == 1
