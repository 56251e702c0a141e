"""A layer on a floating-point kernel, and how far from float64 it may be."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from cortado.gateware.memory_layout import MapLayout
from cortado.hls.floating import FloatingConfiguration
from cortado.hls.kernel_calls import KERNEL_PORTS, KernelCall


class FloatingCalls(ABC):
    """A layer on one kernel. The operand and the result are maps (N, C, H, W)."""

    configuration: FloatingConfiguration
    dims: tuple[int, int, int, int]
    """Shape of the operand."""
    first_channel: int = 0
    """Where it begins in the bottom of the layer."""

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
    def result_dims(self) -> tuple[int, int, int, int]:
        """Shape of the result."""

    @property
    def weights(self) -> NDArray[np.uint8] | None:
        """What the port `weights` reads; None for a kernel without."""
        return None

    @abstractmethod
    def calls(self) -> list[KernelCall]:
        """Every call, in order. Raises `LayerError` naming the limit where the layer does not fit the kernel."""

    @abstractmethod
    def pack(self, operand: NDArray[np.floating]) -> NDArray[np.uint8]:
        """The operand as it lies in memory, rounded to the type of the maps."""

    @abstractmethod
    def place(self, result: NDArray[np.float64]) -> NDArray[np.float64]:
        """Values in the order in which the result lies in memory; 0 where it holds nothing."""

    @abstractmethod
    def exact(self, maps: NDArray[np.floating]) -> NDArray[np.float64]:
        """The result in float64."""

    @abstractmethod
    def bound(self, maps: NDArray[np.floating]) -> NDArray[np.float64]:
        """How far the kernel may be from `exact`, for each value."""


def place(layout: MapLayout, result: NDArray[np.float64]) -> NDArray[np.float64]:
    """Maps of float64 in the order of a layout of smaller values."""
    widened = replace(layout, data_bits=64, beat_bytes=layout.beat_bytes * 64 // layout.data_bits)
    return widened.pack(np.ascontiguousarray(result).view(np.int64)).view(np.float64)


def rounding_error(values: NDArray[np.float64], lost: NDArray[np.float64], dtype: np.dtype) -> NDArray[np.float64]:
    """What a result that is off by `lost` already loses when it is rounded to the type of the maps."""
    if dtype == np.float32:
        return np.zeros_like(values)
    limits = np.finfo(dtype)
    return float(limits.eps) / 2 * (np.abs(values) + lost + float(limits.smallest_normal))
