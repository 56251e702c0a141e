"""The decoder in simulation: see sim/benches/bench_descriptor_decoder.py."""

from __future__ import annotations

from collections.abc import Callable

import pytest

CASES = {
    # The table in the bench is written for this configuration.
    "m2": {"m": 2, "pc": 2, "pk": 1, "beat_bits": 64, "largest_taps": 72, "tiles": 16, "buffer_words": 32,
           "block_columns": 8},
}


@pytest.mark.rtlsim
def test_descriptors_equal_a_table(run_bench: Callable[[str, dict], None]) -> None:
    run_bench("descriptor_decoder", CASES)
