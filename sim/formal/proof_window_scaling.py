"""Window scaling loses no transfer and makes none up."""

from __future__ import annotations

from formal.proof import Proof
from formal.steps import Steps

from cortado.gateware.window_scaling import WindowScaling

CASES = {"one_lane": {"lanes": 1}}
STEPS = Steps(bounded=4, induction=2, reach=8)


def part(**case: int) -> WindowScaling:
    """The circuit of one case."""
    return WindowScaling(**case)


def claims(proof: Proof, **case: int) -> None:
    """Registered stages."""
    proof.pipeline()
