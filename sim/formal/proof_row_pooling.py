"""The rows of windows are given out as offered, and the job's command is held meanwhile."""

from __future__ import annotations

from formal.proof import Proof
from formal.steps import Steps

from cortado.gateware.row_pooling import RowPooling

CASES = {"average": {"beat_bits": 16, "row_beats": 2, "average": True}}
STEPS = Steps(bounded=4, induction=3, reach=16)


def part(**case: int) -> RowPooling:
    """The circuit of one case."""
    return RowPooling(**case)


def claims(proof: Proof, **case: int) -> None:
    """Nothing but the contracts of its streams."""
