"""What the shell is told of an engine."""

from __future__ import annotations

import dataclasses

from cortado.gateware.axi_engine import axi_engine_signature
from cortado.gateware.cycle_counters import COUNTER_NAMES
from cortado.simulation.counters import Counters
from cortado.simulation.register import CHANNELS, MASTERS, render_header


def test_counters_are_the_engine_s() -> None:
    assert tuple(field.name for field in dataclasses.fields(Counters)) == COUNTER_NAMES


def test_channels_are_the_engine_s() -> None:
    members = axi_engine_signature(128).members
    assert {f"{name}valid" for name in CHANNELS} == {
        name for name in members if name.startswith("m_axi_") and name.endswith("valid")}


def test_header_names_its_parameters() -> None:
    header = render_header(64, True)
    assert header.splitlines()[0] == "// Rendered by cortado.simulation.register: beat_bits=64, trace=True."
    assert "#define CORTADO_BEAT_BITS 64\n" in header
    # The numbers are those of ARID; the writer has none and comes last.
    assert MASTERS == ("descriptors", "activations", "weights", "results")
    assert "#define CORTADO_MASTERS(X) X(descriptors) X(activations) X(weights) X(results)\n" in header
