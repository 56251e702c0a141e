"""The walk along a side of a map against the list of its windows."""

from __future__ import annotations

import random

import cocotb
from benches.case import CASES
from benches.streams import PROFILES, Bench, Stalls
from cocotb.handle import SimHandleBase

from cortado.gateware.open_windows import OpenWindows
from cortado.gateware.pooling_command import OPEN_WINDOWS

WALKS = 40


def part() -> OpenWindows:
    """The circuit; there is one case."""
    return OpenWindows()


def random_side(rng: random.Random) -> dict[str, int]:
    """Any side the circuit takes: of the windows no more are open at once than have a slot."""
    while True:
        kernel, stride, windows = rng.randint(1, 7), rng.randint(1, 4), rng.randint(1, 6)
        if kernel <= OPEN_WINDOWS * stride or windows <= OPEN_WINDOWS:
            break
    leading = rng.randrange(kernel)
    # The last window begins within the map and ends not before it.
    begin = (windows - 1) * stride
    lines = rng.randint(max(1, begin - leading + 1), max(1, begin + kernel - leading))
    return {"leading": leading, "lines": lines, "kernel": kernel, "stride": stride, "windows": windows}


@cocotb.test()
@cocotb.parametrize(case=list(CASES), profile=list(PROFILES))
async def windows_begin_and_end_where_they_must(dut: SimHandleBase, case: str, profile: str) -> None:
    bench = Bench(dut, case, part(), profile)
    rng, stalls = bench.rng, Stalls(random.Random(case), PROFILES[profile].sink, PROFILES[profile].longest)
    for name in ("begin", "step"):
        bench.port(name).value = 0
    seen: dict[str, int] = {}
    bench.on_look.append(lambda: seen.update(
        {name: int(bench.port(name).value) for name in ("real", "fresh", "ends", "ending", "last")}))
    await bench.reset()
    for _ in range(WALKS):
        side = random_side(rng)
        for name, value in side.items():
            bench.port(name).value = value
        bench.port("begin").value = 1
        await bench.step()
        bench.port("begin").value = 0
        opened = [(window, window * side["stride"], window * side["stride"] + side["kernel"])
                  for window in range(side["windows"])]
        for line in range(opened[-1][2]):
            while stalls.next():
                bench.port("step").value = 0
                await bench.step()
            bench.port("step").value = 1
            await bench.step()
            where = f"line {line} of {side}"
            assert seen["real"] == (side["leading"] <= line < side["leading"] + side["lines"]), where
            for window, begin, end in opened:
                if begin <= line < end:
                    unread = not any(side["leading"] <= before < side["leading"] + side["lines"]
                                     for before in range(begin, line))
                    assert seen["fresh"] >> window % OPEN_WINDOWS & 1 == unread, f"{where}: window {window}, {seen}"
            ending = [window for window, _, end in opened if end - 1 == line]
            assert seen["ends"] == bool(ending), f"{where}: {seen}"
            if ending:
                assert seen["ending"] == ending[0] % OPEN_WINDOWS, f"{where}: {seen}"
                assert seen["last"] == (ending[0] == side["windows"] - 1), f"{where}: {seen}"
        bench.port("step").value = 0
