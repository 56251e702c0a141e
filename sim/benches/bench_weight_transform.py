"""The weight transform against `winograd.golden.weight_transform`."""

from __future__ import annotations

import cocotb
from benches.case import CASES
from benches.kernels import without_others
from benches.number import matrices, numbers
from benches.streams import PROFILES, Bench
from cocotb.handle import SimHandleBase

from cortado.gateware.configuration import WinogradConfiguration
from cortado.gateware.weight_transform import WeightTransform
from cortado.winograd.golden import weight_transform

GROUPS = 150
LATENCY_CYCLES = 2
POINTWISE_CHANCE = 0.3


def part(**case: int) -> WeightTransform:
    """The circuit of one case."""
    return WeightTransform(WinogradConfiguration(**case))


@cocotb.test()
@cocotb.parametrize(case=list(CASES), profile=list(PROFILES))
async def kernels_are_transformed_in_order(dut: SimHandleBase, case: str, profile: str) -> None:
    """Points pass between them as they are."""
    configuration = WinogradConfiguration(**CASES[case])
    bench = Bench(dut, case, part(**CASES[case]), profile)
    kernels, transformed = bench.source("i"), bench.checked("o", without_others)
    for _ in range(GROUPS):
        group = numbers(bench.rng, (configuration.pairs_per_step, 3, 3), configuration.weight_bits)
        points = numbers(bench.rng, (configuration.points_per_step,), configuration.weight_bits)
        passing = {"pointwise": int(bench.rng.random() < POINTWISE_CHANCE), "last": bench.rng.randrange(2)}
        kernels.send({"kernels": matrices(group), "points": points.tolist(), **passing})
        u = weight_transform(configuration.transform, group)
        transformed.expect(without_others({"u": matrices(u), "points": points.tolist(), **passing}))
    await bench.reset()
    cycles = await bench.run(60 * GROUPS)
    if profile == "free":
        assert cycles == GROUPS + LATENCY_CYCLES, "one group a cycle"
