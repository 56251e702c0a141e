"""The units of map jobs with their writer in simulation: see sim/benches/bench_map_unit.py."""

from __future__ import annotations

from collections.abc import Callable

import pytest

TINY = {"m": 2, "pc": 2, "pk": 2, "beat_bits": 64, "pooling_row_beats": 3}


@pytest.mark.rtlsim
def test_jobs_equal_golden(run_bench: Callable[[str, dict], None]) -> None:
    run_bench("map_unit", {
        "both": {**TINY, "pooling": 2, "elementwise_add": 1},
        "maximum": {**TINY, "pooling": 1},
        "addition": {**TINY, "elementwise_add": 1},
    })
