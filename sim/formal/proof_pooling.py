"""The parts of the pooling unit keep their offers to each other."""

from __future__ import annotations

from formal.proof import Proof
from formal.steps import Steps

from cortado.gateware.pooling import Pooling

CASES = {"average": {"lanes": 1, "beat_bits": 16, "row_beats": 2, "average": True}}
STEPS = Steps(bounded=4, induction=3, reach=24)


def part(**case: int) -> Pooling:
    """The circuit of one case."""
    return Pooling(**case)


def claims(proof: Proof, **case: int) -> None:
    """Nothing but the contracts of its streams."""
