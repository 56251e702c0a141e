"""The register between streams in simulation: see sim/benches/bench_stream_register.py."""

from __future__ import annotations

from collections.abc import Callable

import pytest

CASES = {"bit": {"bits": 1}, "word": {"bits": 33}}


@pytest.mark.rtlsim
def test_items_pass_in_order(run_bench: Callable[[str, dict], None]) -> None:
    run_bench("stream_register", CASES)
