"""The input transform in simulation: see sim/benches/bench_input_transform.py."""

from __future__ import annotations

from collections.abc import Callable

import pytest

CASES = {
    "m2": {"m": 2, "pc": 2, "pk": 1, "tiles": 32},
    "m4": {"m": 4, "pc": 1, "pk": 1, "tiles": 8},
    "m6": {"m": 6, "pc": 1, "pk": 1, "tiles": 8},
    "m2_wide": {"m": 2, "pc": 1, "pk": 1, "tiles": 8, "data_bits": 16},
    "m4_wide": {"m": 4, "pc": 1, "pk": 1, "tiles": 8, "data_bits": 16},
}


@pytest.mark.rtlsim
def test_tiles_equal_golden(run_bench: Callable[[str, dict], None]) -> None:
    run_bench("input_transform", CASES)
