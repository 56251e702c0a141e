"""The reduction of columns in simulation: see sim/benches/bench_column_pooling.py."""

from __future__ import annotations

from collections.abc import Callable

import pytest

CASES = {
    "maximum": {"lanes": 2, "beat_bits": 64, "average": False},
    "average": {"lanes": 4, "beat_bits": 128, "average": True},
    "one_pixel_a_beat": {"lanes": 8, "beat_bits": 64, "average": True},
}


@pytest.mark.rtlsim
def test_columns_equal_nested_loops(run_bench: Callable[[str, dict], None]) -> None:
    run_bench("column_pooling", CASES)
