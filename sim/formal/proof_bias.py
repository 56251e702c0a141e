"""The bias stage loses no transfer and makes none up."""

from __future__ import annotations

from formal.proof import Proof
from formal.smallest import SMALLEST
from formal.steps import Steps

from cortado.gateware.bias import Bias
from cortado.gateware.configuration import WinogradConfiguration

CASES = {"smallest": SMALLEST}
STEPS = Steps(bounded=4, induction=2, reach=8)


def part(**case: int) -> Bias:
    """The circuit of one case."""
    return Bias(WinogradConfiguration(**case))


def claims(proof: Proof, **case: int) -> None:
    """One stage."""
    proof.pipeline()
