"""The pixels of windows are given out as offered, and the job's command is held meanwhile."""

from __future__ import annotations

from formal.proof import Proof
from formal.steps import Steps

from cortado.gateware.column_maximum import ColumnMaximum

CASES = {"two_pixels": {"lanes": 1, "beat_bits": 16, "average": False}}
STEPS = Steps(bounded=4, induction=3, reach=16)


def part(**case: int) -> ColumnMaximum:
    """The circuit of one case."""
    return ColumnMaximum(**case)


def claims(proof: Proof, **case: int) -> None:
    """Nothing but the contracts of its streams."""
