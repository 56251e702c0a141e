"""The maximum of columns in simulation: see sim/benches/bench_column_maximum.py."""

from __future__ import annotations

from collections.abc import Callable

import pytest

CASES = {
    "two_pixels": {"lanes": 4, "beat_bits": 64, "average": False},
    "four_pixels": {"lanes": 2, "beat_bits": 64, "average": True},
    "eight_pixels": {"lanes": 1, "beat_bits": 64, "average": False},
}


@pytest.mark.rtlsim
def test_columns_equal_nested_loops(run_bench: Callable[[str, dict], None]) -> None:
    run_bench("column_maximum", CASES)
