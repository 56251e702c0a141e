"""The requantiser against exact fractions and against `numerics.requantize`."""

from __future__ import annotations

import random
from fractions import Fraction

import cocotb
import numpy as np
from benches.case import CASES
from benches.streams import PROFILES, Bench
from cocotb.handle import SimHandleBase

from cortado.gateware.configuration import WinogradConfiguration
from cortado.gateware.requantize import Requantize
from cortado.numerics import requantize
from cortado.numerics.fixed_point import FixedPoint
from cortado.numerics.interval import Interval

TILES = 200
LATENCY_CYCLES = 6


def part(**case: int) -> Requantize:
    """The circuit of one case."""
    return Requantize(WinogradConfiguration(**case))


def exact(number: int, multiplier: int, shift: int, bits: int) -> int:
    """Python's round() of a fraction is half to even."""
    return min(max(round(Fraction(number * multiplier, 2**shift)), -(2 ** (bits - 1))), 2 ** (bits - 1) - 1)


def random_channel(rng: random.Random) -> tuple[int, int]:
    """A multiplier and a shift: as layers have them, and every extreme."""
    multiplier = rng.choice([0, 1, 2, 2**15, 2**16 - 1, rng.randrange(2**15, 2**16), 2 ** rng.randrange(16)])
    return multiplier, rng.choice([0, 1, requantize.LARGEST_SHIFT, rng.randint(0, requantize.LARGEST_SHIFT)])


def random_sum(rng: random.Random, multiplier: int, shift: int, configuration: WinogradConfiguration) -> int:
    """A sum: an extreme, any, or one whose result is around a half or around the limits of the result."""
    largest = 2 ** (configuration.sum_bits - 1) - 1
    kind = rng.randrange(4)
    if kind == 0:
        return rng.choice([-largest - 1, largest, 0, -1, 1])
    if kind == 1 or multiplier == 0:
        return rng.randint(-largest - 1, largest)
    ends = 2**configuration.data_bits + 4
    halves = rng.randint(-ends, ends)
    number = (halves << shift) // (2 * multiplier) + rng.randint(-1, 1)
    return min(max(number, -largest - 1), largest)


@cocotb.test()
@cocotb.parametrize(case=list(CASES), profile=list(PROFILES))
async def results_are_rounded_half_to_even(dut: SimHandleBase, case: str, profile: str) -> None:
    configuration = WinogradConfiguration(**CASES[case])
    bench = Bench(dut, case, part(**CASES[case]), profile)
    rng = bench.rng
    sums_in, results = bench.source("i"), bench.checked("o")
    halves = 0
    for _ in range(TILES):
        multiplier, shift = random_channel(rng)
        sums = [random_sum(rng, multiplier, shift, configuration) for _ in range(configuration.m**2)]
        halves += sum(Fraction(number * multiplier, 2**shift).denominator == 2 for number in sums)
        expected = [exact(number, multiplier, shift, configuration.data_bits) for number in sums]
        golden = requantize.Requantize(multiplier=np.array([multiplier]), shift=np.array([shift]),
                                       result=FixedPoint(width=configuration.data_bits),
                                       sums=Interval.signed(configuration.sum_bits))
        assert expected == golden.apply(np.array([sums]), channel_axis=0)[0].tolist()
        passed_on = {"flags": rng.getrandbits(2), "slope": rng.getrandbits(8)}
        channel = rng.randrange(configuration.pk)
        record = {"bias": rng.randrange(-2**31, 2**31), "multiplier": multiplier, "shift": shift, **passed_on}
        sums_in.send({"sums": sums, "record": record, "channel": channel})
        if not configuration.leaky:
            del passed_on["slope"]
        results.expect({"y": expected, **passed_on, "channel": channel})
    assert halves > 20, "the numbers must hold exact halves"
    await bench.reset()
    cycles = await bench.run(60 * TILES)
    if profile == "free":
        assert cycles == TILES + LATENCY_CYCLES, "one tile and channel a cycle"
