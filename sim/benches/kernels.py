"""Groups of weights, which are kernels or points."""

from __future__ import annotations

from benches.payload import Plain


def without_others(group: dict[str, Plain]) -> dict[str, Plain]:
    """A group of weights: the points of kernels, and the kernels of points, mean nothing."""
    kernels = "u" if "u" in group else "kernels"
    if group["pointwise"]:
        return {**group, kernels: [[0] * len(kernel) for kernel in group[kernels]]}
    return {**group, "points": [0] * len(group["points"])}
