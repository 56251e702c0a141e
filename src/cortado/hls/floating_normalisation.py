"""Local response normalisation on its floating-point kernel, and how far it may be from float64."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cortado.hls.floating import FloatingConfiguration
from cortado.hls.floating_calls import FloatingCalls, rounding_error
from cortado.hls.kernel_calls import KernelCall
from cortado.hls.kernel_library import KernelLibrary

# Roundings that a power of the C++ library counts for: two units in the last place.
POWER_ROUNDINGS = 4


@dataclass(frozen=True, kw_only=True)
class FloatingNormalisation(FloatingCalls):
    """Caffe's LRN across the `local_size` channels of `configuration`, over maps of shape `dims` (N, C, H, W).

    y = x / (k + alpha / local_size * sum of squares)**beta. In memory channels are innermost.
    """

    name: str
    configuration: FloatingConfiguration
    dims: tuple[int, int, int, int]
    alpha: float
    beta: float
    k: float = 1.0

    @property
    def layer(self) -> str:
        return self.name

    @property
    def kernel(self) -> str:
        return "local_response_normalization"

    @property
    def macs(self) -> int:
        return 0

    @property
    def result_dims(self) -> tuple[int, int, int, int]:
        return self.dims

    def calls(self) -> list[KernelCall]:
        batch, channels, height, width = self.dims
        scalars = {"pixels": batch * height * width, "channels": channels, "alpha": float(self.alpha),
                   "beta": float(self.beta), "k": float(self.k)}
        return [KernelCall(kernel=self.kernel, offsets=(0, 0), scalars=scalars)]

    def run(self, library: KernelLibrary, maps: NDArray[np.floating]) -> NDArray[np.floating]:
        """Maps of the value type through the kernel."""
        packed = self.pack(maps)
        output = np.zeros_like(packed)
        for call in self.calls():
            library.run(call, packed, output)
        batch, channels, height, width = self.dims
        values = output.view(self.configuration.dtype).reshape(batch, height, width, channels)
        return np.ascontiguousarray(values.transpose(0, 3, 1, 2))

    def pack(self, operand: NDArray[np.floating]) -> NDArray[np.uint8]:
        return self._innermost(operand.astype(self.configuration.dtype)).view(np.uint8)

    def place(self, result: NDArray[np.float64]) -> NDArray[np.float64]:
        return self._innermost(result)

    def exact(self, maps: NDArray[np.floating]) -> NDArray[np.float64]:
        return maps.astype(np.float64) * self._divisors(maps) ** -self.beta

    def bound(self, maps: NDArray[np.floating]) -> NDArray[np.float64]:
        exact, divisors = self.exact(maps), self._divisors(maps)
        unit = float(np.finfo(np.float32).eps) / 2
        # Squares, their sum, its share and k; alpha, its share and k as float. A power loses beta times as much, what
        # beta itself loses, and its own roundings; then the product.
        power = self.beta * (self.configuration.local_size + 5) + self.beta * np.abs(np.log(divisors))
        roundings = power + POWER_ROUNDINGS + 1
        lost = np.abs(exact) * np.expm1(roundings * unit)
        return lost + rounding_error(exact, lost, self.configuration.dtype)

    def _divisors(self, maps: NDArray[np.floating]) -> NDArray[np.float64]:
        half = self.configuration.local_size // 2
        squares = np.pad(maps.astype(np.float64) ** 2, ((0, 0), (half, half), (0, 0), (0, 0)))
        windows = np.lib.stride_tricks.sliding_window_view(squares, self.configuration.local_size, axis=1)
        return self.k + self.alpha / self.configuration.local_size * windows.sum(-1)

    @staticmethod
    def _innermost(values: np.ndarray) -> np.ndarray:
        return np.ascontiguousarray(values.transpose(0, 2, 3, 1)).reshape(-1)
