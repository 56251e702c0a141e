"""The reduction of rows in simulation: see sim/benches/bench_row_pooling.py."""

from __future__ import annotations

from collections.abc import Callable

import pytest

CASES = {
    "maximum": {"beat_bits": 64, "row_beats": 5, "average": False},
    "average": {"beat_bits": 64, "row_beats": 4, "average": True},
    "one_beat_a_row": {"beat_bits": 128, "row_beats": 1, "average": True},
}


@pytest.mark.rtlsim
def test_rows_equal_nested_loops(run_bench: Callable[[str, dict], None]) -> None:
    run_bench("row_pooling", CASES)
