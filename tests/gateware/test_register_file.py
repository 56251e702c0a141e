"""The registers in simulation: see sim/benches/bench_register_file.py."""

from __future__ import annotations

from collections.abc import Callable

import pytest

CASES = {"only": {}}


@pytest.mark.rtlsim
def test_registers_behind_axi_lite(run_bench: Callable[[str, dict], None]) -> None:
    run_bench("register_file", CASES)
