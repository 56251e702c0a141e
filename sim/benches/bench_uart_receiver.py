"""The receiver of a serial line against bits of uneven length."""

from __future__ import annotations

import cocotb
from benches.case import CASES
from benches.streams import PROFILES, Bench
from cocotb.handle import SimHandleBase

from cortado.boards.uart import UartReceiver

BYTES = 40
LIMIT_CYCLES = 30_000


def part(**case: int) -> UartReceiver:
    """The circuit of one case."""
    return UartReceiver(**case)


@cocotb.test()
@cocotb.parametrize(case=list(CASES), profile=list(PROFILES))
async def bytes_come_out_in_order(dut: SimHandleBase, case: str, profile: str) -> None:
    bench = Bench(dut, case, part(**CASES[case]), profile)
    divisor, line, received = CASES[case]["divisor"], bench.port("line"), bench.checked("o")
    line.value = 1
    await bench.reset()
    for number in range(BYTES):
        value = bench.rng.choice([0, 255, 0x55, bench.rng.randrange(256)])
        # Every seventh byte has no stop bit, as on a broken line, and is none.
        stop = int(number % 7 != 6)
        if stop:
            received.expect(value)
        for bit in (0, *(value >> place & 1 for place in range(8)), stop):
            line.value = bit
            for _ in range(divisor):
                await bench.step()
        line.value = 1
        # A byte that nobody takes would cost the next one.
        for _ in range(bench.rng.choice([0, 1, 30]) if stop else 30):
            await bench.step()
        while not received.drained and bench.cycle < LIMIT_CYCLES:
            await bench.step()
    await bench.run(100)


@cocotb.test()
@cocotb.parametrize(case=list(CASES))
async def a_byte_nobody_takes_is_kept_and_the_next_one_dropped(dut: SimHandleBase, case: str) -> None:
    bench = Bench(dut, case, part(**CASES[case]), "free")
    divisor, line = CASES[case]["divisor"], bench.port("line")
    bench.port("o.ready").value = 0
    line.value = 1
    await bench.reset()
    for value in (0x3C, 0x99):
        for bit in (0, *(value >> place & 1 for place in range(8)), 1, 1):
            line.value = bit
            for _ in range(divisor):
                await bench.step()
    assert (int(bench.port("o.valid").value), int(bench.port("o.payload").value)) == (1, 0x3C)
