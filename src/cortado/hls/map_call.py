"""Layers from map to map on their C++ kernels: pooling, addition and ReLU."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cortado.engines.add_job import AddJob
from cortado.engines.pooling_job import PoolingJob
from cortado.gateware.configuration import WinogradConfiguration
from cortado.hls.block_size import LOOP_CYCLES, MEMORY_CYCLES
from cortado.hls.dsp import dsps_of, requantise_dsps
from cortado.hls.job_calls import JobCalls
from cortado.hls.kernel_calls import KernelCall, KernelCalls
from cortado.hls.kernel_configuration import KernelConfiguration
from cortado.hls.weight_packing import to_beats
from cortado.numerics.elementwise_add import FACTOR_BITS
from cortado.numerics.leaky_relu import SLOPE_BITS, leaky_relu
from cortado.numerics.pooling import PoolingKind

POOLING, ADD, RELU = "pooling", "elementwise_add", "relu"
WINDOWS = ("whole", "column", "row", "corner")


@dataclass(frozen=True, kw_only=True)
class PoolingCalls(JobCalls):
    """A pooling: one call for every block of channels of the batch."""

    job: PoolingJob

    @property
    def kernel(self) -> str:
        return POOLING

    @property
    def macs(self) -> int:
        return 0

    @property
    def cycles(self) -> int:
        """Each row of a window waits for memory, then a cycle a beat; then a cycle for each column of each window."""
        scalars, source = self._scalars, self.job.source
        tops = range(-scalars["top"], scalars["out_height"] * scalars["row_stride"] - scalars["top"],
                     scalars["row_stride"])
        rows = sum(max(0, min(top + scalars["kernel_height"], source.height) - max(top, 0)) for top in tops)
        columns = scalars["out_width"] * scalars["kernel_width"] + LOOP_CYCLES
        return scalars["planes"] * (rows * (MEMORY_CYCLES + source.row_beats)
                                    + scalars["out_height"] * columns) + MEMORY_CYCLES

    @property
    def dsps(self) -> int:
        kernels = KernelConfiguration(self.job.mapping.configuration)
        return requantise_dsps(kernels, kernels.engine.pk)

    @property
    def port_bytes(self) -> tuple[int, ...]:
        return self.job.source_bytes, self.job.target_bytes

    def calls(self) -> list[KernelCall]:
        return [KernelCall(kernel=self.kernel, offsets=(0, 0), scalars=self._scalars)]

    @property
    def _scalars(self) -> dict[str, int]:
        pooling, source, target = self.job.mapping.pooling, self.job.source, self.job.target
        size = source.height, source.width
        kernel = pooling.kernel_over(size)
        scalars = {
            "planes": source.batch * source.blocks, "height": source.height, "width": source.width,
            "out_height": target.height, "out_width": target.width, "kernel_height": kernel[0],
            "kernel_width": kernel[1], "row_stride": pooling.stride[0], "column_stride": pooling.stride[1],
            "top": pooling.pad[0], "left": pooling.pad[1], "is_average": int(pooling.kind is PoolingKind.AVERAGE),
        }
        factors = pooling.requantize(size)
        for window, multiplier, shift in zip(WINDOWS, factors.multiplier, factors.shift, strict=True):
            scalars |= {f"{window}_multiplier": int(multiplier), f"{window}_shift": int(shift)}
        return scalars


@dataclass(frozen=True, kw_only=True)
class AddCalls(JobCalls):
    """An element-wise addition: one call."""

    job: AddJob

    @property
    def kernel(self) -> str:
        return ADD

    @property
    def macs(self) -> int:
        return 0

    @property
    def cycles(self) -> int:
        """The way to memory and back, and a cycle for a beat of each."""
        return 2 * MEMORY_CYCLES + self._beats

    @property
    def dsps(self) -> int:
        configuration = self.job.configuration
        numbers = configuration.beat_bits // configuration.data_bits
        return 2 * numbers * dsps_of(configuration.data_bits, FACTOR_BITS)

    @property
    def port_bytes(self) -> tuple[int, ...]:
        return self.job.source_bytes, self.job.source_bytes, self.job.target_bytes

    def calls(self) -> list[KernelCall]:
        addition = self.job.addition
        scalars = {"beats": self._beats, "first_multiplier": addition.multipliers[0],
                   "second_multiplier": addition.multipliers[1], "shift": addition.shift,
                   "is_relu": int(addition.relu)}
        return [KernelCall(kernel=self.kernel, offsets=(0, 0, 0), scalars=scalars)]

    @property
    def _beats(self) -> int:
        return self.job.source_bytes // self.job.configuration.beat_bytes


@dataclass(frozen=True, kw_only=True)
class ReluCalls(KernelCalls):
    """A leaky ReLU of `count` numbers that lie one behind the other: one call. `slope` is in 256ths."""

    name: str
    configuration: WinogradConfiguration
    count: int
    slope: int = 0

    @property
    def layer(self) -> str:
        return self.name

    @property
    def kernel(self) -> str:
        return RELU

    @property
    def macs(self) -> int:
        return 0

    @property
    def cycles(self) -> int:
        """The way to memory and back, and a cycle for a beat."""
        return 2 * MEMORY_CYCLES + self._beats

    @property
    def dsps(self) -> int:
        bits = self.configuration.data_bits
        return self.configuration.beat_bits // bits * dsps_of(bits, SLOPE_BITS + 1)

    @property
    def port_bytes(self) -> tuple[int, ...]:
        return (self._beats * self.configuration.beat_bytes,) * 2

    def golden(self, *operands: np.ndarray) -> np.ndarray:
        return leaky_relu(operands[0], self.slope)

    def pack(self, operand: np.ndarray) -> np.ndarray:
        return to_beats(np.ascontiguousarray(operand).reshape(-1).view(np.uint8), self.configuration.beat_bytes)

    def pack_result(self, result: np.ndarray) -> np.ndarray:
        return self.pack(result)

    def calls(self) -> list[KernelCall]:
        return [KernelCall(kernel=self.kernel, offsets=(0, 0), scalars={"beats": self._beats, "slope": self.slope})]

    @property
    def _beats(self) -> int:
        return -(-self.count * self.configuration.data_bytes // self.configuration.beat_bytes)
