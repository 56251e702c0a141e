"""The gearbox in simulation: see sim/benches/bench_gearbox.py."""

from __future__ import annotations

from collections.abc import Callable

import pytest

CASES = {
    "narrows": {"unit_bits": 8, "units_in": 4, "units_out": 3, "largest_lead": 2},
    "widens": {"unit_bits": 8, "units_in": 8, "units_out": 9},
    "splits": {"unit_bits": 4, "units_in": 4, "units_out": 1, "largest_lead": 2},
    "gathers": {"unit_bits": 4, "units_in": 1, "units_out": 4, "largest_lead": 2},
    "passes": {"unit_bits": 5, "units_in": 2, "units_out": 2},
}


@pytest.mark.rtlsim
def test_rows_equal_a_list_of_units(run_bench: Callable[[str, dict], None]) -> None:
    run_bench("gearbox", CASES)
