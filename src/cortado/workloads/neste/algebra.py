"""Numbers of four components: quaternions, hyperbolic quaternions and split quaternions, one table each.

Arrays hold their components on one axis of four, in the order 1, i, j, k. Source: Xiong et al. 2024, "NestE: Modeling
Nested Relational Structures for Knowledge Graph Reasoning", section "Hypercomplex numbers".
"""

from __future__ import annotations

from enum import Enum

import torch
from torch import Tensor

COMPONENTS = 4

# A relation of length 0 has no direction; this keeps its gradient a number.
SMALLEST_NORM = 1e-12

# The unit that a product of two units is, up to its sign: i j is k or -k, as bits 01 and 10 are together 11.
_UNIT = [[a ^ b for b in range(COMPONENTS)] for a in range(COMPONENTS)]


class Algebra(Enum):
    """How units multiply: each value is the sign of the row's unit times the column's, both in the order 1, i, j, k."""

    # i i = j j = k k = -1, i j = k.
    QUATERNION = ((1, 1, 1, 1), (1, -1, 1, -1), (1, -1, -1, 1), (1, 1, -1, -1))
    # i i = j j = k k = 1, i j = k; not associative.
    HYPERBOLIC = ((1, 1, 1, 1), (1, 1, 1, -1), (1, -1, 1, 1), (1, 1, -1, 1))
    # i i = -1, j j = k k = 1, i j = k.
    SPLIT = ((1, 1, 1, 1), (1, -1, 1, -1), (1, -1, 1, -1), (1, 1, 1, 1))

    @property
    def table(self) -> Tensor:
        """T, (4, 4, 4): unit a times unit b is the sum over c of T[a, b, c] times unit c."""
        table = torch.zeros(COMPONENTS, COMPONENTS, COMPONENTS)
        for a in range(COMPONENTS):
            for b in range(COMPONENTS):
                table[a, b, _UNIT[a][b]] = self.value[a][b]
        return table

    def matrix(self, right: Tensor) -> Tensor:
        """The matrices M with (x right)_c = sum over a of M_ca x_a.

        `right` is (N, 4, ...), M (N, 4, 4, ...). Read the other way round M gives the adjoint: <x right, y> = <x, z>
        with z_a = sum over c of M_ca y_c.
        """
        # T has one b for each c and a.
        components = torch.tensor([[a ^ c for a in range(COMPONENTS)] for c in range(COMPONENTS)])
        signs = torch.tensor([[self.value[a][a ^ c] for a in range(COMPONENTS)] for c in range(COMPONENTS)],
                             dtype=right.dtype)
        return right[:, components] * signs.view(1, COMPONENTS, COMPONENTS, *(1,) * (right.dim() - 2))

    def product(self, left: Tensor, right: Tensor) -> Tensor:
        """left times right, number by number, (N, 4, ...) each."""
        return (self.matrix(right) * left[:, None]).sum(2)


def normalised(numbers: Tensor) -> Tensor:
    """Each number over its Euclidean length, (N, 4, ...), in every algebra, as the authors' code has it."""
    return numbers / numbers.square().sum(1, keepdim=True).sqrt().clamp(min=SMALLEST_NORM)
