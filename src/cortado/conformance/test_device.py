"""The conformance suite as tests, for the device of `--cortado-device`."""

from __future__ import annotations

import pytest

from cortado.conformance.check import checks
from cortado.conformance.suite import run_check
from cortado.device.device import Device
from cortado.engines.winograd import Winograd


@pytest.mark.parametrize("name", checks)
def test_conformance(name: str, device: Device, engine: Winograd) -> None:
    """One check of the suite."""
    outcome = run_check(checks[name], device, engine)
    if outcome.verdict == "not applicable":
        pytest.skip(outcome.words)
    assert not outcome.has_failed, outcome.words
