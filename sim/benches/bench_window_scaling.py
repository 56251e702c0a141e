"""The scaling of windows against exact fractions."""

from __future__ import annotations

from fractions import Fraction

import cocotb
from benches.case import CASES
from benches.streams import PROFILES, Bench
from cocotb.handle import SimHandleBase

from cortado.gateware.pooling_command import WINDOW_SUM_BITS
from cortado.gateware.window_scaling import WindowScaling
from cortado.numerics.requantize import LARGEST_SHIFT

PIXELS = 400


def part(**case: int) -> WindowScaling:
    """The circuit of one case."""
    return WindowScaling(**case)


@cocotb.test()
@cocotb.parametrize(case=list(CASES), profile=list(PROFILES))
async def sums_become_averages(dut: SimHandleBase, case: str, profile: str) -> None:
    bench = Bench(dut, case, part(**CASES[case]), profile)
    rng = bench.rng
    windows, pixels = bench.source("i"), bench.checked("o")
    limit = 2 ** (WINDOW_SUM_BITS - 1)
    for _ in range(PIXELS):
        shift = rng.choice([0, 1, LARGEST_SHIFT, rng.randint(0, LARGEST_SHIFT), rng.randint(16, 24)])
        multiplier = rng.choice([0, 1, 2**15, 2**16 - 1, rng.randint(0, 2**16 - 1)])
        reach = min(limit, max(2, 2 ** (shift + 8) // max(multiplier, 1)))
        sums = [rng.choice([-limit, limit - 1, rng.randrange(-limit, limit), *[rng.randrange(-reach, reach)] * 5])
                for _ in range(CASES[case]["lanes"])]
        last = rng.getrandbits(1)
        windows.send({"values": sums, "factor": {"multiplier": multiplier, "shift": shift}, "last": last})
        # Python rounds a fraction half to even.
        pixels.expect({"values": [min(max(round(Fraction(value * multiplier, 2**shift)), -128), 127) for value in sums],
                       "last": last})
    await bench.reset()
    cycles = await bench.run(60 * PIXELS)
    if profile == "free":
        assert cycles == PIXELS + 3, f"one pixel a cycle after three, not {cycles} cycles for {PIXELS}"
