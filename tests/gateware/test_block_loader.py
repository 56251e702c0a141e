"""The block loader in simulation: see sim/benches/bench_block_loader.py."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from cortado.gateware.block_loader import BlockLoader
from cortado.gateware.configuration import WinogradConfiguration
from cortado.simulation.verilog import to_verilog

CASES = {
    "m2": {"m": 2, "pc": 2, "pk": 1, "beat_bits": 64, "largest_taps": 72, "tiles": 16, "buffer_words": 64},
    "m4": {"m": 4, "pc": 4, "pk": 1, "beat_bits": 128, "largest_taps": 72, "tiles": 16, "buffer_words": 64},
    "m6": {"m": 6, "pc": 2, "pk": 1, "beat_bits": 128, "largest_taps": 72, "tiles": 16, "buffer_words": 64},
    "one_pixel_a_beat": {"m": 4, "pc": 8, "pk": 1, "beat_bits": 64, "largest_taps": 72, "tiles": 16,
                         "buffer_words": 64},
    "many_pixels_a_beat": {"m": 2, "pc": 1, "pk": 1, "beat_bits": 256, "largest_taps": 36, "tiles": 16,
                           "buffer_words": 64},
    "wide": {"m": 2, "pc": 2, "pk": 1, "beat_bits": 64, "largest_taps": 72, "tiles": 16, "buffer_words": 64,
             "data_bits": 16},
}


@pytest.mark.rtlsim
def test_writes_equal_nested_loops(run_bench: Callable[[str, dict], None]) -> None:
    run_bench("block_loader", CASES)


def test_tools_take_the_numbers_of_the_widest_port() -> None:
    text = to_verilog(BlockLoader(WinogradConfiguration(m=4, pc=1, pk=1, beat_bits=512)))
    # Verilator's limit.
    assert max(int(bits) for bits in re.findall(r"\b(\d+)'[bdh]", text)) <= 65536
