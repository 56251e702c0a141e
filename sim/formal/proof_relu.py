"""The activation passes every transfer on in the cycle it comes."""

from __future__ import annotations

from formal.proof import Proof
from formal.smallest import SMALLEST
from formal.steps import Steps

from cortado.gateware.configuration import WinogradConfiguration
from cortado.gateware.relu import Relu

CASES = {"smallest": SMALLEST}
STEPS = Steps(bounded=4, induction=2, reach=8)


def part(**case: int) -> Relu:
    """The circuit of one case."""
    return Relu(WinogradConfiguration(**case))


def claims(proof: Proof, **case: int) -> None:
    """No stage in between."""
    proof.count(proof.part.i, proof.part.o, 0)
