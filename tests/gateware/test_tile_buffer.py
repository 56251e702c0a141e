"""The tile buffer in simulation: see sim/benches/bench_tile_buffer.py."""

from __future__ import annotations

from collections.abc import Callable

import pytest

CASES = {
    "m2": {"m": 2, "pc": 2, "pk": 1, "beat_bits": 64, "largest_taps": 72, "tiles": 16, "buffer_words": 64},
    "m4": {"m": 4, "pc": 1, "pk": 1, "beat_bits": 64, "largest_taps": 72, "tiles": 16, "buffer_words": 64},
    "m6": {"m": 6, "pc": 1, "pk": 1, "beat_bits": 64, "largest_taps": 72, "tiles": 16, "buffer_words": 64},
    "wide": {"m": 2, "pc": 2, "pk": 1, "beat_bits": 64, "largest_taps": 72, "tiles": 16, "buffer_words": 64,
             "data_bits": 16},
}


@pytest.mark.rtlsim
def test_tiles_equal_nested_loops(run_bench: Callable[[str, dict], None]) -> None:
    run_bench("tile_buffer", CASES)
