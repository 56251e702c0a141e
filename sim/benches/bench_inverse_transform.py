"""The inverse transform against `winograd.golden.inverse_transform` and against plain convolution."""

from __future__ import annotations

import cocotb
import numpy as np
from benches.case import CASES
from benches.number import matrices, numbers
from benches.payload import Plain
from benches.streams import PROFILES, Bench
from cocotb.handle import SimHandleBase
from numpy.typing import NDArray

from cortado.gateware.configuration import WinogradConfiguration
from cortado.gateware.inverse_transform import InverseTransform
from cortado.winograd.golden import input_transform, inverse_transform, multiply_accumulate, weight_transform

RESULTS = 80
LATENCY_CYCLES = 4
TAPS = 9
POINTWISE_CHANCE = 0.3


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
    """Pointwise sums pass between them, some in each step."""
    configuration = WinogradConfiguration(**CASES[case])
    transform, bits, edge = configuration.transform, configuration.widths.accumulator_bits, configuration.m
    elements, channels = configuration.alpha**2, configuration.largest_taps // TAPS
    # A tile has whole groups of m pixels, of which each step gives out as many as the path back is wide.
    groups = elements // edge
    lanes = -(-groups // -(-groups // edge))
    bench = Bench(dut, case, part(**CASES[case]), profile)
    kept: list[int] = []  # values of each result that mean something

    def meant(result: dict[str, Plain]) -> dict[str, Plain]:
        count = kept[results.received]
        return {**result, "y": result["y"][:count] + [0] * (edge**2 - count)}

    sums_in, results = bench.source("i"), bench.checked("o", meant)
    for _ in range(RESULTS):
        place = {"channel": bench.rng.randrange(configuration.pk), "last": bench.rng.randrange(2)}
        if bench.rng.random() < POINTWISE_CHANCE:
            limit = 2 ** (configuration.widths.y_bits - 1)
            sums = [bench.rng.choice([-limit, limit - 1, bench.rng.randrange(-limit, limit)]) for _ in range(elements)]
            step = bench.rng.randrange(-(-groups // edge))
            sums_in.send({"m": sums, "step": step, "pointwise": 1, **place})
            here = sums[step * lanes * edge:min((step + 1) * lanes, groups) * edge]
            kept.append(len(here))
            results.expect({"y": here + [0] * (edge**2 - len(here)), **place})
            continue
        tiles = numbers(bench.rng, (channels, configuration.alpha, configuration.alpha), configuration.data_bits)
        kernels = numbers(bench.rng, (channels, 3, 3), configuration.weight_bits)
        sums = multiply_accumulate(weight_transform(transform, kernels)[np.newaxis],
                                   input_transform(transform, tiles)[:, np.newaxis], bits)[0, 0]
        expected = naive_convolution(tiles, kernels, edge)
        assert expected == matrices(inverse_transform(transform, sums, bits))
        sums_in.send({"m": matrices(sums), "step": 0, "pointwise": 0, **place})
        kept.append(edge**2)
        results.expect({"y": expected, **place})
    await bench.reset()
    cycles = await bench.run(60 * RESULTS)
    if profile == "free":
        assert cycles == RESULTS + LATENCY_CYCLES, "one result a cycle"
