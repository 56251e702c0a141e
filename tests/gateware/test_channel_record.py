"""The joining of records and results in simulation: see sim/benches/bench_channel_record.py."""

from __future__ import annotations

from collections.abc import Callable

import pytest

CASES = {
    "m2": {"m": 2, "pc": 1, "pk": 4},
    "m4": {"m": 4, "pc": 1, "pk": 1, "tiles": 24},
    "m6": {"m": 6, "pc": 1, "pk": 2, "tiles": 7},
}


@pytest.mark.rtlsim
def test_results_have_the_record_of_their_channel(run_bench: Callable[[str, dict], None]) -> None:
    run_bench("channel_record", CASES)
