"""The engine behind AXI withdraws nothing that it has offered to the memory or the driver, in a job and in its stop."""

from __future__ import annotations

from formal.proof import Proof
from formal.smallest import SMALLEST
from formal.steps import Steps

from cortado.gateware.axi_engine import AxiEngine
from cortado.gateware.configuration import WinogradConfiguration
from cortado.gateware.winograd_engine import WinogradEngine

CASES = {"smallest": SMALLEST}
# A burst lies hundreds of cycles from reset; the bench of the engine shows it.
STEPS = Steps(bounded=2, induction=2, reach=None)


def part(**case: int) -> AxiEngine:
    """The circuit of one case."""
    configuration = WinogradConfiguration(**case)
    return AxiEngine(WinogradEngine(configuration), beat_bits=configuration.beat_bits)


def claims(proof: Proof, **case: int) -> None:
    """Its channels' contracts, and what they need of the units inside."""
