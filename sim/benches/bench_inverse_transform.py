"""The inverse transform against `winograd.golden.inverse_transform` and against plain convolution."""

from __future__ import annotations

import cocotb
import numpy as np
from benches.case import CASES
from benches.number import int8_numbers, matrices
from benches.streams import PROFILES, Bench
from cocotb.handle import SimHandleBase
from numpy.typing import NDArray

from cortado.gateware.configuration import WinogradConfiguration
from cortado.gateware.inverse_transform import InverseTransform
from cortado.winograd.golden import input_transform, inverse_transform, multiply_accumulate, weight_transform

RESULTS = 150
LATENCY_CYCLES = 4


def part(**case: int) -> InverseTransform:
    """The circuit of one case."""
    return InverseTransform(WinogradConfiguration(**case))


def naive_convolution(tiles: NDArray[np.int64], kernels: NDArray[np.int64], edge: int) -> list[int]:
    """The m x m results of one tile (C, alpha, alpha) and one output channel's kernels (C, 3, 3), row by row."""
    return [sum(int(tiles[c, y + r, x + s]) * int(kernels[c, r, s])
                for c in range(len(tiles)) for r in range(3) for s in range(3))
            for y in range(edge) for x in range(edge)]


@cocotb.test()
@cocotb.parametrize(case=list(CASES), profile=list(PROFILES))
async def results_are_exact(dut: SimHandleBase, case: str, profile: str) -> None:
    configuration = WinogradConfiguration(**CASES[case])
    transform, bits = configuration.transform, configuration.widths.accumulator_bits
    bench = Bench(dut, case, part(**CASES[case]), profile)
    sums_in, results = bench.source("i"), bench.checked("o")
    channels = configuration.largest_channels
    for _ in range(RESULTS):
        tiles = int8_numbers(bench.rng, (channels, configuration.alpha, configuration.alpha))
        kernels = int8_numbers(bench.rng, (channels, 3, 3))
        sums = multiply_accumulate(weight_transform(transform, kernels)[np.newaxis],
                                   input_transform(transform, tiles)[:, np.newaxis], bits)[0, 0]
        expected = naive_convolution(tiles, kernels, configuration.m)
        assert expected == matrices(inverse_transform(transform, sums, bits))
        place = {"channel": bench.rng.randrange(configuration.pk), "last": bench.rng.randrange(2)}
        sums_in.send({"m": matrices(sums), **place})
        results.expect({"y": expected, **place})
    await bench.reset()
    cycles = await bench.run(60 * RESULTS)
    if profile == "free":
        assert cycles == RESULTS + LATENCY_CYCLES, "one result a cycle"
