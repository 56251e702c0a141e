"""The multipliers and accumulators in simulation: see sim/benches/bench_mac_array.py."""

from __future__ import annotations

from collections.abc import Callable

import pytest

CASES = {
    "m2": {"m": 2, "pc": 2, "pk": 2, "beat_bits": 64, "tiles": 6, "largest_taps": 36},
    "m2_pairs_at_once": {"m": 2, "pc": 1, "pk": 2, "beat_bits": 128, "tiles": 4, "largest_taps": 36},
    "m4": {"m": 4, "pc": 1, "pk": 1, "beat_bits": 64, "tiles": 5, "largest_taps": 9},
    "m6": {"m": 6, "pc": 1, "pk": 1, "beat_bits": 64, "tiles": 5, "largest_taps": 9},
    "m2_wide": {"m": 2, "pc": 2, "pk": 1, "beat_bits": 64, "tiles": 5, "largest_taps": 9, "data_bits": 16},
    "m2_widest": {"m": 2, "pc": 1, "pk": 2, "beat_bits": 64, "tiles": 5, "largest_taps": 9, "data_bits": 16,
                  "weight_bits": 16},
    "m4_widest": {"m": 4, "pc": 1, "pk": 1, "beat_bits": 64, "tiles": 5, "largest_taps": 9, "data_bits": 16,
                  "weight_bits": 16},
}


@pytest.mark.rtlsim
def test_sums_equal_golden(run_bench: Callable[[str, dict], None]) -> None:
    run_bench("mac_array", CASES)
