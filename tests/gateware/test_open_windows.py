"""Which windows are open, in simulation: see sim/benches/bench_open_windows.py."""

from __future__ import annotations

from collections.abc import Callable

import pytest


@pytest.mark.rtlsim
def test_windows_are_open_where_they_lie(run_bench: Callable[[str, dict], None]) -> None:
    run_bench("open_windows", {"side": {}})
