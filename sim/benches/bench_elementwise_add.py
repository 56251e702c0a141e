"""The adder of maps against exact fractions."""

from __future__ import annotations

from fractions import Fraction

import cocotb
from benches.case import CASES
from benches.number import int8_numbers
from benches.payload import in_beats
from benches.streams import PROFILES, Bench
from cocotb.handle import SimHandleBase

from cortado.gateware.elementwise_add import ElementwiseAdd
from cortado.numerics.elementwise_add import LARGEST_ADD_SHIFT

JOBS = 25


def part(**case: int) -> ElementwiseAdd:
    """The circuit of one case."""
    return ElementwiseAdd(**case)


@cocotb.test()
@cocotb.parametrize(case=list(CASES), profile=list(PROFILES))
async def sums_are_scaled_and_rounded(dut: SimHandleBase, case: str, profile: str) -> None:
    beat_bytes = CASES[case]["beat_bits"] // 8
    bench = Bench(dut, case, part(**CASES[case]), profile)
    rng = bench.rng
    commands, first, second = bench.source("command"), bench.source("i_first"), bench.source("i_second")
    sums, count = bench.checked("o"), 0
    for _ in range(JOBS):
        beats, relu = rng.choice([1, 2, rng.randint(1, 12)]), rng.getrandbits(1)
        multipliers = [rng.choice([-2**15, 2**15 - 1, 2**14, rng.randrange(-2**15, 2**15)]) for _ in range(2)]
        shift = rng.choice([0, 14, 15, LARGEST_ADD_SHIFT, rng.randint(0, LARGEST_ADD_SHIFT)])
        commands.send({"beats": beats, "multipliers": multipliers, "shift": shift, "relu": relu})
        operands = [int8_numbers(rng, (beats * beat_bytes,)).tolist() for _ in range(2)]
        first.send(*in_beats(operands[0], beat_bytes))
        second.send(*in_beats(operands[1], beat_bytes))
        totals = [a * multipliers[0] + b * multipliers[1] for a, b in zip(*operands, strict=True)]
        # Python rounds a fraction half to even.
        results = [min(max(round(Fraction(total, 2**shift)), 0 if relu else -128), 127) for total in totals]
        sums.expect(*in_beats(results, beat_bytes))
        count += beats
    await bench.reset()
    cycles = await bench.run(100 * count)
    if profile == "free":
        assert cycles == 2 * count + 3, f"a beat every two cycles after three, not {cycles} cycles for {count}"
