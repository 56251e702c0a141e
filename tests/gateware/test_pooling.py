"""Pooling of maps in simulation: see sim/benches/bench_pooling.py."""

from __future__ import annotations

from collections.abc import Callable

import pytest

CASES = {
    "maximum": {"lanes": 2, "beat_bits": 64, "row_beats": 3, "average": False},
    "average": {"lanes": 1, "beat_bits": 64, "row_beats": 2, "average": True},
    "one_pixel_a_beat": {"lanes": 8, "beat_bits": 64, "row_beats": 9, "average": True},
}


@pytest.mark.rtlsim
def test_maps_equal_golden(run_bench: Callable[[str, dict], None]) -> None:
    run_bench("pooling", CASES)
