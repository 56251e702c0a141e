"""The row buffer in simulation: see sim/benches/bench_row_buffer.py."""

from __future__ import annotations

from collections.abc import Callable

import pytest

CASES = {
    "m2": {"m": 2, "pc": 1, "pk": 2, "block_columns": 5},
    "m4": {"m": 4, "pc": 1, "pk": 1, "block_columns": 4},
    "one_column": {"m": 2, "pc": 1, "pk": 4, "block_columns": 1},
    "m6": {"m": 6, "pc": 1, "pk": 2, "block_columns": 3},
    "wide": {"m": 2, "pc": 1, "pk": 2, "block_columns": 3, "data_bits": 16},
}


@pytest.mark.rtlsim
def test_rows_equal_a_picture(run_bench: Callable[[str, dict], None]) -> None:
    run_bench("row_buffer", CASES)
