"""What a pooling or an addition gives in float, and how far its integers may be from that.

A maximum is exact. An average or a sum is rounded once, by half a step, and its factors have sixteen bits: each is off
by at most 2**-16 of itself in an average, by 2**-15 of the larger one in a sum.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from cortado.engines.map_layer import MapOperation
from cortado.net.net import Stage
from cortado.numerics.pooling import IntegerPooling, PoolingKind
from cortado.planner.quantisation import INT8

AVERAGE_ERROR, SUM_ERROR = 2.0**-16, 2.0**-15
# Of a few float32 operations.
FLOAT_ERROR = 1e-5


def map_reference(stage: Stage, operation: MapOperation, operands: Sequence[np.ndarray], scales: Sequence[float],
                  step: float) -> tuple[np.ndarray, np.ndarray]:
    """The float layer on int8 `operands` of these `scales`, float64 (N, C, P, Q) in units of `step`, and the largest
    difference of golden from it that rounding explains, of the same shape.
    """
    with torch.no_grad():
        (top,) = stage(*(torch.from_numpy((operand * scale).astype(np.float32))
                         for operand, scale in zip(operands, scales, strict=True)))
    values = top.numpy().astype(np.float64) / step
    if isinstance(operation, IntegerPooling):
        rounding = (FLOAT_ERROR * np.abs(values) if operation.kind is PoolingKind.MAX
                    else 0.5 + (AVERAGE_ERROR + FLOAT_ERROR) * np.abs(values))
    else:
        largest = np.abs(operation.real).max()
        magnitudes = sum(np.abs(operand.astype(np.float64)) for operand in operands)
        rounding = 0.5 + (SUM_ERROR + FLOAT_ERROR) * largest * magnitudes
    return np.clip(values, INT8.min, INT8.max), rounding
