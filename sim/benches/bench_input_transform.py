"""The input transform against `winograd.golden.input_transform`."""

from __future__ import annotations

import cocotb
from benches.case import CASES
from benches.number import matrices, numbers
from benches.streams import PROFILES, Bench
from cocotb.handle import SimHandleBase

from cortado.gateware.configuration import WinogradConfiguration
from cortado.gateware.input_transform import InputTransform
from cortado.winograd.golden import input_transform

TILES = 80
LATENCY_CYCLES = 2
POINTWISE_CHANCE = 0.3


def part(**case: int) -> InputTransform:
    """The circuit of one case."""
    return InputTransform(WinogradConfiguration(**case))


@cocotb.test()
@cocotb.parametrize(case=list(CASES), profile=list(PROFILES))
async def tiles_are_transformed_in_order(dut: SimHandleBase, case: str, profile: str) -> None:
    """Pointwise tiles pass between them as they are."""
    configuration = WinogradConfiguration(**CASES[case])
    bench = Bench(dut, case, part(**CASES[case]), profile)
    tiles, transformed = bench.source("i"), bench.checked("o")
    for _ in range(TILES):
        pixels = numbers(bench.rng, (configuration.pc, configuration.alpha, configuration.alpha),
                         configuration.data_bits)
        place = {"index": bench.rng.randrange(configuration.tiles),
                 **{name: bench.rng.randrange(2) for name in ("pass_first", "pass_last", "sum_first", "sum_last")},
                 "pointwise": int(bench.rng.random() < POINTWISE_CHANCE)}
        tiles.send({"pixels": matrices(pixels), **place})
        v = pixels if place["pointwise"] else input_transform(configuration.transform, pixels)
        transformed.expect({"v": matrices(v), **place})
    await bench.reset()
    cycles = await bench.run(60 * TILES)
    if profile == "free":
        assert cycles == TILES + LATENCY_CYCLES, "one tile a cycle"
