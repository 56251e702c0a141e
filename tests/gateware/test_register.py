"""The map of the registers."""

from __future__ import annotations

from cortado.gateware.cycle_counters import COUNTER_NAMES
from cortado.gateware.register import Register, counter_registers


def test_counters_have_two_words_each() -> None:
    assert counter_registers("cycles") == (0x40, 0x44)
    assert counter_registers("idle_setup") == (0x50, 0x54)
    assert len({offset for name in COUNTER_NAMES for offset in counter_registers(name)}) == 2 * len(COUNTER_NAMES)


def test_registers_do_not_overlap() -> None:
    assert all(register % 4 == 0 for register in Register)
    assert max(register for register in Register if register is not Register.COUNTERS) < Register.COUNTERS
