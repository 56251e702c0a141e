"""What a layer is to a kernel: calls with their scalars, the bytes behind each pointer, and what it costs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

# The memory ports of each kernel, in the order of its pointers; the last one is written.
KERNEL_PORTS = {
    "winograd_convolution": ("input", "weights", "output"),
    "direct_convolution": ("input", "weights", "output"),
    "pointwise_convolution": ("input", "weights", "output"),
    "convolution_relu_pool": ("input", "weights", "output"),
    "inner_product": ("input", "weights", "output"),
    "pooling": ("input", "output"),
    "elementwise_add": ("first", "second", "output"),
    "relu": ("input", "output"),
    "local_response_normalization": ("input", "output"),
}


@dataclass(frozen=True, kw_only=True)
class KernelCall:
    """One call: a kernel, a byte offset for each of its pointers, and its scalars in order.

    The scalars `first_block` and `blocks` of a convolution say which part of the output it computes.
    """

    kernel: str
    offsets: tuple[int, ...]
    scalars: dict[str, int | float]

    def parts(self, count: int) -> list[KernelCall]:
        """A convolution in at most `count` calls, each of which computes some of the blocks."""
        blocks = self.scalars["blocks"]
        bounds = [blocks * part // count for part in range(count + 1)]
        return [replace(self, scalars={**self.scalars, "first_block": first, "blocks": end - first})
                for first, end in pairwise(bounds) if end > first]


class KernelCalls(ABC):
    """A layer on one kernel. Operands and results are whole numbers (N, C, H, W)."""

    @property
    @abstractmethod
    def layer(self) -> str:
        """Name of the layer."""

    @property
    @abstractmethod
    def kernel(self) -> str:
        """Name of the kernel."""

    @property
    def ports(self) -> tuple[str, ...]:
        """Memory ports of the kernel."""
        return KERNEL_PORTS[self.kernel]

    @property
    @abstractmethod
    def macs(self) -> int:
        """Multiplications with weights that the layer asks for."""

    @property
    @abstractmethod
    def cycles(self) -> int:
        """Estimated cycles of all calls."""

    @property
    @abstractmethod
    def dsps(self) -> int:
        """Estimated DSP48E2 of the kernel."""

    @property
    def weights(self) -> np.ndarray | None:
        """What the port `weights` reads, uint8; None for a kernel without."""
        return None

    @property
    @abstractmethod
    def port_bytes(self) -> tuple[int, ...]:
        """Size of what each port reads or writes."""

    @abstractmethod
    def calls(self) -> list[KernelCall]:
        """Every call, in order. Raises `LayerError` naming the limit where the layer does not fit the kernel."""

    @abstractmethod
    def golden(self, *operands: np.ndarray) -> np.ndarray:
        """The exact result."""

    @abstractmethod
    def pack(self, operand: np.ndarray) -> np.ndarray:
        """An operand as it lies in memory, uint8."""

    @abstractmethod
    def pack_result(self, result: np.ndarray) -> np.ndarray:
        """A result as it lies in memory, uint8."""
