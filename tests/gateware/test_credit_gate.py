"""The gate before a pipeline in simulation: see sim/benches/bench_credit_gate.py."""

from __future__ import annotations

from collections.abc import Callable

import pytest


@pytest.mark.rtlsim
def test_no_more_pass_than_there_is_room_for(run_bench: Callable[[str, dict], None]) -> None:
    run_bench("credit_gate", {"few": {"credits": 3}, "many": {"credits": 9}})
