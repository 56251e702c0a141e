"""The weight transform loses no transfer and makes none up."""

from __future__ import annotations

from amaranth.hdl import Value
from formal.proof import Proof
from formal.proof_weight_unpacker import kernels_or_points
from formal.smallest import SMALLEST
from formal.steps import Steps

from cortado.gateware.configuration import WinogradConfiguration
from cortado.gateware.weight_transform import WeightTransform

CASES = {"smallest": SMALLEST}
STEPS = Steps(bounded=4, induction=2, reach=8)


def part(**case: int) -> WeightTransform:
    """The circuit of one case."""
    return WeightTransform(WinogradConfiguration(**case))


def meant(part: WeightTransform) -> dict[str, Value]:
    """What of the payloads counts."""
    return {"i": kernels_or_points(part.i.payload)}


def claims(proof: Proof, **case: int) -> None:
    """Registered stages."""
    proof.pipeline("half_valid")
