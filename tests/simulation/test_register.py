"""The registers of the shell, and the names both sides share."""

from __future__ import annotations

import dataclasses

from cortado.gateware.configuration import WinogradConfiguration
from cortado.gateware.cycle_counters import COUNTER_NAMES
from cortado.gateware.winograd_engine import engine_signature
from cortado.simulation.counters import Counters
from cortado.simulation.register import COUNTERS, STREAMS, Register, counter_registers, render_header


def test_counters_are_the_engine_s() -> None:
    assert COUNTERS == COUNTER_NAMES
    assert COUNTERS == tuple(field.name for field in dataclasses.fields(Counters))


def test_streams_are_the_engine_s() -> None:
    members = engine_signature(WinogradConfiguration()).members
    assert set(STREAMS) == {name for name, member in members.items()
                            if member.is_signature and "ready" in member.signature.members}


def test_counters_have_two_words_each() -> None:
    assert counter_registers("cycles") == (0x40, 0x44)
    assert counter_registers("idle_setup") == (0x50, 0x54)
    assert len({offset for name in COUNTERS for offset in counter_registers(name)}) == 2 * len(COUNTERS)


def test_registers_do_not_overlap() -> None:
    assert all(register % 4 == 0 for register in Register)
    assert max(register for register in Register if register is not Register.COUNTERS) < Register.COUNTERS


def test_header_names_its_parameters() -> None:
    header = render_header(64, 128, True)
    assert header.splitlines()[0] == ("// Rendered by cortado.simulation.register: "
                                      "beat_bits=64, descriptor_bytes=128, trace=True.")
    assert "#define CORTADO_BEAT_BITS 64\n" in header
    assert "    DESCRIPTOR_COUNT = 0x1c,\n" in header
