"""The whole engine withdraws nothing that it has offered, whatever its units are at."""

from __future__ import annotations

from formal.proof import Proof
from formal.smallest import SMALLEST
from formal.steps import Steps

from cortado.gateware.configuration import WinogradConfiguration
from cortado.gateware.winograd_engine import WinogradEngine

# Without map units: that two of them never drive a port at once is for the bench to show.
CASES = {"smallest": SMALLEST}
# A transfer lies hundreds of cycles from reset; the bench of the engine shows it.
STEPS = Steps(bounded=2, induction=2, reach=None)


def part(**case: int) -> WinogradEngine:
    """The circuit of one case."""
    return WinogradEngine(WinogradConfiguration(**case))


def claims(proof: Proof, **case: int) -> None:
    """Its streams' contracts, and what they need of the units inside."""
