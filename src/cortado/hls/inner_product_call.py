"""An inner product of one picture on its C++ kernel: each weight is read once, as many in a cycle as a beat holds."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from cortado.errors import LayerError
from cortado.gateware.configuration import WinogradConfiguration
from cortado.hls.block_size import MEMORY_CYCLES
from cortado.hls.dsp import dsps_of, requantise_dsps
from cortado.hls.kernel_calls import KernelCall, KernelCalls
from cortado.hls.kernel_configuration import KernelConfiguration
from cortado.hls.render import LARGEST_INPUTS
from cortado.hls.weight_packing import pack_inner_product, to_beats
from cortado.numerics.convolution import IntegerConvolution


@dataclass(frozen=True, kw_only=True)
class InnerProductCalls(KernelCalls):
    """An inner product as a 1 x 1 convolution of a map of one pixel. Numbers lie one behind the other.

    Raises `LayerError` where the kernel has no room for its inputs.
    """

    name: str
    configuration: WinogradConfiguration
    convolution: IntegerConvolution

    def __post_init__(self) -> None:
        if self._inputs > LARGEST_INPUTS:
            raise LayerError(self.name, f"the HLS kernel 'inner_product' takes at most {LARGEST_INPUTS} inputs, not "
                                        f"{self._inputs}")

    @property
    def layer(self) -> str:
        return self.name

    @property
    def kernel(self) -> str:
        return "inner_product"

    @property
    def macs(self) -> int:
        return self.convolution.weight.size

    @property
    def cycles(self) -> int:
        """The inputs, then all records and weights in one run of bursts."""
        inputs, weights, _ = self.port_bytes
        return 3 * MEMORY_CYCLES + (inputs + weights) // self.configuration.beat_bytes

    @property
    def port_bytes(self) -> tuple[int, ...]:
        numbers = self._inputs, self.convolution.out_channels
        inputs, outputs = (len(self.pack(np.zeros(count, f"int{self.configuration.data_bits}"))) for count in numbers)
        return inputs, self.weights.nbytes, outputs

    @property
    def dsps(self) -> int:
        configuration = self.configuration
        return (configuration.beat_bytes // configuration.weight_bytes
                * dsps_of(configuration.data_bits, configuration.weight_bits)
                + requantise_dsps(KernelConfiguration(configuration), 1))

    @cached_property
    def weights(self) -> np.ndarray:
        """For each output its record and weights, uint8."""
        return pack_inner_product(self.convolution, self.configuration)

    def golden(self, *operands: np.ndarray) -> np.ndarray:
        return self.convolution.golden(*operands)

    def pack(self, operand: np.ndarray) -> np.ndarray:
        return to_beats(np.ascontiguousarray(operand).reshape(-1).view(np.uint8), self.configuration.beat_bytes)

    def pack_result(self, result: np.ndarray) -> np.ndarray:
        return self.pack(result)

    def calls(self) -> list[KernelCall]:
        scalars = {"inputs": self._inputs, "outputs": self.convolution.out_channels}
        return [KernelCall(kernel=self.kernel, offsets=(0, 0, 0), scalars=scalars)]

    @property
    def _inputs(self) -> int:
        return self.convolution.weight.shape[1]
