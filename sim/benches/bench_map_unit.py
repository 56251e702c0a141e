"""Map jobs from memory to memory against the golden pooling and addition, behind streams in Python."""

from __future__ import annotations

from collections import deque

import cocotb
import numpy as np
from benches.burst import cut
from benches.case import CASES
from benches.number import int8_numbers
from benches.payload import unpack
from benches.pooling_case import random_case
from benches.streams import PROFILES, Bench
from cocotb.handle import SimHandleBase

from cortado.engines.add_job import AddJob
from cortado.gateware.configuration import AVERAGE_POOLING, WinogradConfiguration
from cortado.gateware.map_descriptor import MapDescriptor
from cortado.gateware.map_unit import MapUnit
from cortado.gateware.memory_layout import MapLayout
from cortado.gateware.pooling_mapping import PoolingMapping
from cortado.gateware.stream_reader import REQUEST_LAYOUT
from cortado.numerics.elementwise_add import IntegerAdd

JOBS = 5
LATENCY_CYCLES = 30
FIRST, SECOND, TARGET = 0x1000, 0x8000, 0x10FC0  # the last one a beat or so ahead of a page's end


def part(**case: int) -> MapUnit:
    """The circuit of one case."""
    return MapUnit(WinogradConfiguration(**case))


def random_job(rng: object, configuration: WinogradConfiguration) -> tuple[MapDescriptor, list, np.ndarray]:
    """A descriptor, its operands as bytes of whole beats, and the result as bytes."""
    kinds = ["pool"] * bool(configuration.pooling) + ["add"] * bool(configuration.elementwise_add)
    if rng.choice(kinds) == "pool":
        case = random_case(rng, lanes=configuration.pk, beat_bytes=configuration.beat_bytes,
                           row_beats=configuration.pooling_row_beats,
                           average=configuration.pooling == AVERAGE_POOLING)
        batch, channels, height, width = case.maps.shape
        mapping = PoolingMapping(configuration=configuration, pooling=case.pooling, batch=batch, channels=channels,
                                 height=height, width=width)
        descriptor, = mapping.descriptors(first_address=FIRST, output_address=TARGET)
        return descriptor, [case.beats()], case.target.pack(case.pooling.golden(case.maps))
    layout = MapLayout(batch=1, channels=rng.randint(1, 5), height=rng.randint(1, 5), width=rng.randint(1, 9),
                       lanes=configuration.pk, beat_bytes=configuration.beat_bytes)
    addition = IntegerAdd.from_scale((rng.uniform(-2, 2), rng.uniform(-2, 2)), relu=rng.random() < 0.5)
    job = AddJob(layer="sum", configuration=configuration, addition=addition, source=layout)
    descriptor, = job.descriptors(input_address=FIRST, weights_address=SECOND, output_address=TARGET)
    maps = [int8_numbers(rng, (1, layout.channels, layout.height, layout.width)).astype(np.int8) for _ in range(2)]
    return descriptor, [layout.pack(operand) for operand in maps], layout.pack(addition.golden(*maps))


@cocotb.test()
@cocotb.parametrize(case=list(CASES), profile=list(PROFILES))
async def jobs_back_to_back_equal_golden(dut: SimHandleBase, case: str, profile: str) -> None:
    configuration = WinogradConfiguration(**CASES[case])
    beat_bytes = configuration.beat_bytes
    bench = Bench(dut, case, part(**CASES[case]), profile)
    commands, responses = bench.source("command"), bench.source("response")
    operands = [bench.source(f"i_{name}") for name in ("first", "second")]
    readers = [bench.checked(f"{name}_command") for name in ("first", "second")]
    requests, written = bench.checked("request"), bench.checked("o")
    work = bursts = 0
    for _ in range(JOBS):
        descriptor, contents, result = random_job(bench.rng, configuration)
        words = descriptor.encode(configuration.hash)
        fields = bench.shape("command").members
        commands.send({name: int(word) for name, word in zip(fields, words, strict=False)})
        for source, reader, address, content in zip(operands, readers, (
                descriptor.first_address, descriptor.second_address), contents, strict=False):
            beats = np.ascontiguousarray(content).view(np.uint8).reshape(-1, beat_bytes)
            source.send(*(int.from_bytes(beat.tobytes(), "little") for beat in beats))
            reader.expect({"address": address, "run_beats": descriptor.run_beats, "run_pitch": 0, "runs": 1,
                           "plane_pitch": descriptor.plane_pitch, "planes": descriptor.planes})
            work += len(beats)
        written.expect(*(int.from_bytes(beat.tobytes(), "little") for beat in result.reshape(-1, beat_bytes)))
        for plane in range(descriptor.planes):
            address = descriptor.output_address + plane * descriptor.output_plane_pitch
            pieces = cut(address, descriptor.output_run_beats, beat_bytes)
            requests.expect(*pieces)
            bursts += len(pieces)
        work += result.size + 200

    # The memory answers a burst some time after its last beat.
    asked: deque[int] = deque()
    waiting: deque[int] = deque()
    request_sink = next(sink for sink in bench.sinks if sink.name == "request")
    compare = request_sink.receive

    def on_request(bits: int) -> None:
        compare(bits)
        asked.append(unpack(REQUEST_LAYOUT, bits)["beats"])

    request_sink.receive = on_request
    answered = 0

    def answer() -> None:
        nonlocal answered
        if asked and written.received - answered >= asked[0]:
            answered += asked.popleft()
            waiting.append(bench.cycle + LATENCY_CYCLES)
        if waiting and waiting[0] <= bench.cycle:
            waiting.popleft()
            responses.send(0)

    bench.on_drive.append(answer)
    bench.on_look.append(lambda: assert_well(bench))
    await bench.reset()
    await bench.run(60 * work, more=lambda: responses.sent < bursts)


def assert_well(bench: Bench) -> None:
    """No burst has failed."""
    assert not int(bench.port("failed").value)
