"""The gearbox against a list of units."""

from __future__ import annotations

import random

import cocotb
from benches.case import CASES
from benches.streams import PROFILES, Bench
from cocotb.handle import SimHandleBase

from cortado.gateware.gearbox import Gearbox

ROWS = 120


def part(**case: int) -> Gearbox:
    """The circuit of one case."""
    return Gearbox(**case)


def random_row(rng: random.Random, case: dict) -> tuple[list[dict], list[int]]:
    """One row as the groups that go in, and as the units that must come out (without the filling)."""
    largest, lead = 2 ** case["unit_bits"] - 1, rng.randint(0, case.get("largest_lead", 0))
    groups, row = [], [0] * lead
    for index in range(length := rng.randint(1, 6)):
        last = index == length - 1
        # Full groups are the rule; a row ends with at least one unit.
        count = rng.choice([case["units_in"]] * 3 + [rng.randint(1 if last else 0, case["units_in"])])
        units = [rng.randint(0, largest) for _ in range(case["units_in"])]
        row += units[:count]
        groups.append({"units": units, "count": count, "last": int(last),
                       "lead": lead if index == 0 else rng.randint(0, case.get("largest_lead", 0))})
    return groups, row


def golden_groups(row: list[int], units_out: int) -> list[dict]:
    """A row cut into groups, the last filled up with zeros."""
    filled = row + [0] * (-len(row) % units_out)
    return [{"units": filled[first:first + units_out], "last": int(first + units_out == len(filled))}
            for first in range(0, len(filled), units_out)]


@cocotb.test()
@cocotb.parametrize(case=list(CASES), profile=list(PROFILES))
async def rows_come_out_in_groups(dut: SimHandleBase, case: str, profile: str) -> None:
    options = CASES[case]
    bench = Bench(dut, case, part(**options), profile)
    source, checker = bench.source("i"), bench.checked("o")
    groups_in = groups_out = 0
    for _ in range(ROWS):
        groups, row = random_row(bench.rng, options)
        expected = golden_groups(row, options["units_out"])
        groups_in, groups_out = groups_in + len(groups), groups_out + len(expected)
        source.send(*groups)
        checker.expect(*expected)
    await bench.reset()
    await bench.run(100 * (groups_in + groups_out))


@cocotb.test()
@cocotb.parametrize(case=list(CASES))
async def a_group_a_cycle_passes(dut: SimHandleBase, case: str) -> None:
    """Within rows of full groups nothing waits but the side that has fewer groups."""
    options = CASES[case]
    bench = Bench(dut, case, part(**options), "free")
    source, checker = bench.source("i"), bench.checked("o")
    groups_in, groups_out = 30, -(-30 * options["units_in"] // options["units_out"])
    for _ in range(ROWS // 10):
        units = [bench.rng.getrandbits(options["unit_bits"]) for _ in range(groups_in * options["units_in"])]
        source.send(*({"units": units[first:first + options["units_in"]], "count": options["units_in"], "lead": 0,
                       "last": int(first + options["units_in"] == len(units))}
                      for first in range(0, len(units), options["units_in"])))
        checker.expect(*golden_groups(units, options["units_out"]))
    await bench.reset()
    cycles = await bench.run(100 * ROWS * (groups_in + groups_out))
    # A row ends with at most two groups that hold no units of the next.
    limit = ROWS // 10 * (max(groups_in, groups_out) + 2)
    assert cycles <= limit, f"{cycles} cycles for {groups_in} groups in and {groups_out} out a row"
