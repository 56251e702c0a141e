"""The decoder's checks of map jobs in simulation: see sim/benches/bench_map_checks.py."""

from __future__ import annotations

from collections.abc import Callable

import pytest

SMALL = {"m": 2, "pc": 2, "pk": 2, "beat_bits": 64, "pooling_row_beats": 3}
CASES = {
    "everything": {**SMALL, "pooling": 2, "elementwise_add": 1},
    "maximum": {**SMALL, "pooling": 1},
    "addition": {**SMALL, "elementwise_add": 1},
}


@pytest.mark.rtlsim
def test_map_descriptors_equal_a_table(run_bench: Callable[[str, dict], None]) -> None:
    run_bench("map_checks", CASES)
