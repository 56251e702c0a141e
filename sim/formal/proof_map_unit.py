"""The units of map jobs keep their offers to each other, the readers and the memory."""

from __future__ import annotations

from formal.proof import Proof
from formal.smallest import SMALLEST
from formal.steps import Steps

from cortado.gateware.configuration import WinogradConfiguration
from cortado.gateware.map_unit import MapUnit

CASES = {"addition": {**SMALLEST, "elementwise_add": 1}}
# The writer and its queue know of each other only through what has happened since reset.
STEPS = Steps(bounded=10, induction=None, reach=24)


def part(**case: int) -> MapUnit:
    """The circuit of one case."""
    return MapUnit(WinogradConfiguration(**case))


def claims(proof: Proof, **case: int) -> None:
    """Nothing but the contracts of its streams."""
