"""The transmitter of a serial line: every bit as long as it must be."""

from __future__ import annotations

import cocotb
from benches.case import CASES
from benches.streams import PROFILES, Bench
from cocotb.handle import SimHandleBase

from cortado.boards.uart import UartTransmitter

BYTES = 40


def part(**case: int) -> UartTransmitter:
    """The circuit of one case."""
    return UartTransmitter(**case)


@cocotb.test()
@cocotb.parametrize(case=list(CASES), profile=list(PROFILES))
async def bytes_go_out_bit_by_bit(dut: SimHandleBase, case: str, profile: str) -> None:
    bench = Bench(dut, case, part(**CASES[case]), profile)
    divisor, source = CASES[case]["divisor"], bench.source("i")
    values = [bench.rng.choice([0, 255, 0x55, bench.rng.randrange(256)]) for _ in range(BYTES)]
    source.send(*values)
    levels: list[int] = []
    await bench.reset()
    bench.on_look.append(lambda: levels.append(int(bench.port("line").value)))
    await bench.run(200 * divisor * BYTES)
    for _ in range(12 * divisor):
        await bench.step()
    found, place = [], 0
    while 0 in levels[place:]:
        # A start bit, eight bits, a stop bit: each holds its level for all its cycles.
        place = levels.index(0, place)
        bits = [levels[place + divisor * number:place + divisor * (number + 1)] for number in range(10)]
        assert all(len(set(bit)) == 1 for bit in bits), f"byte {len(found)}: {bits}"
        assert (bits[0][0], bits[9][0]) == (0, 1), f"byte {len(found)}: {bits}"
        found.append(sum(bit[0] << number for number, bit in enumerate(bits[1:9])))
        place += 10 * divisor
    assert found == values
