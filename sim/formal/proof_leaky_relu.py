"""The leaky activation loses no transfer and makes none up."""

from __future__ import annotations

from formal.proof import Proof
from formal.smallest import SMALLEST
from formal.steps import Steps

from cortado.gateware.configuration import WinogradConfiguration
from cortado.gateware.leaky_relu import LeakyRelu

CASES = {"smallest": {**SMALLEST, "leaky": 1}}
STEPS = Steps(bounded=4, induction=2, reach=8)


def part(**case: int) -> LeakyRelu:
    """The circuit of one case."""
    return LeakyRelu(WinogradConfiguration(**case))


def claims(proof: Proof, **case: int) -> None:
    """Registered stages."""
    proof.pipeline()
