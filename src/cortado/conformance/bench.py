"""A device under test: jobs on it, held against golden."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np

from cortado.device.buffer import Buffer
from cortado.device.device import Device
from cortado.engines.add_job import AddJob
from cortado.engines.job import Job
from cortado.engines.pooling_job import PoolingJob
from cortado.engines.winograd import Winograd
from cortado.errors import MismatchError
from cortado.graph.shape import TensorShape
from cortado.numerics.convolution import IntegerConvolution
from cortado.numerics.requantize import Requantize

ConformanceJob = Job | PoolingJob | AddJob

# What the results of a job are before it runs: no result is all of it.
STALE = 0xA5
# Standard deviation of a number drawn evenly from those of n bits, over 2**n, and of a result that fills its range.
EVEN_DEVIATION, RESULT_SHARE = 12**-0.5, 1 / 6


@dataclass
class ConformanceBench:
    """`device`, programmed with `engine`. The random numbers are the same in every run."""

    device: Device
    engine: Winograd
    rng: np.random.Generator = field(default_factory=lambda: np.random.default_rng(1))

    @contextmanager
    def buffers(self, *sizes: int) -> Iterator[list[Buffer]]:
        """Buffers for the time of the block."""
        taken: list[Buffer] = []
        try:
            for size in sizes:
                taken.append(self.device.allocate(size))
            yield taken
        finally:
            for buffer in taken:
                self.device.free(buffer)

    def check(self, job: ConformanceJob, source: np.ndarray, weights: np.ndarray) -> None:
        """Run a job on packed operands; `MismatchError` unless the result equals golden to the bit."""
        source, weights = (np.ascontiguousarray(data).reshape(-1).view(np.uint8) for data in (source, weights))
        with self.buffers(job.source_bytes, job.weights_bytes, job.target_bytes) as (first, second, target):
            self.device.write(first, source)
            self.device.write(second, weights)
            self.device.write(target, np.full(job.target_bytes, STALE, np.uint8))
            self.device.run(job, source=first, weights=second, target=target)
            result = self.device.read(target)[: job.target_bytes]
        expected = np.zeros(job.target_bytes, np.uint8)
        job.write_result(source, weights, expected)
        self.require_equal(job, job.layer, result, expected)

    @staticmethod
    def require_equal(job: ConformanceJob, words: str, result: np.ndarray, expected: np.ndarray) -> None:
        """Raise `MismatchError` unless two packed results hold the same numbers; what pads them does not count."""
        found, right = job.target.unpack(result), job.target.unpack(expected)
        different = np.argwhere(found != right)
        if different.size:
            place = tuple(int(index) for index in different[0])
            raise MismatchError(f"{words}: {len(different)} of {right.size} numbers differ from golden, the first at "
                                f"(n, k, y, x) = {place}: {found[place]}, not {right[place]}")

    def convolution(self, channels: int, filters: int, kernel: tuple[int, int] = (3, 3), *, group: int = 1,
                    **fields: object) -> IntegerConvolution:
        """A convolution of the engine's widths, weights over their whole range, results over theirs."""
        data_bits, weight_bits = self.engine.data_bits, self.engine.weight_bits
        shape = (filters, channels // group, *kernel)
        deviation = 2.0**(data_bits + weight_bits) * EVEN_DEVIATION**2 * np.prod(shape[1:])**0.5
        requantize = Requantize.from_scale(np.full(filters, 2**data_bits * RESULT_SHARE / deviation))
        spread = int(min(deviation, 2**30))
        return IntegerConvolution(
            weight=self._numbers(shape, weight_bits), bias=self.rng.integers(-spread, spread + 1, filters, np.int32),
            multiplier=requantize.multiplier, shift=requantize.shift, group=group, data_bits=data_bits,
            **{"pad": (1, 1, 1, 1), **fields})

    def check_convolution(self, words: str, convolution: IntegerConvolution, maps: tuple[int, int, int, int]) -> None:
        """Run a convolution on random maps (N, C, H, W), and hold it against golden."""
        job = self.engine.job(words, convolution, TensorShape(maps))
        self.check(job, job.source.pack(self.maps(maps)), job.weights)

    def maps(self, shape: tuple[int, int, int, int]) -> np.ndarray:
        """Random maps over the engine's whole range."""
        return self._numbers(shape, self.engine.data_bits)

    def _numbers(self, shape: tuple[int, ...], bits: int) -> np.ndarray:
        return self.rng.integers(-2**(bits - 1), 2**(bits - 1), shape, f"int{bits}")
