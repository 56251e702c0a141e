"""Jobs like others, but somewhere else in their buffers, or with descriptors that are wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from cortado.engines.device_job import DeviceJob, Encodable


@dataclass(frozen=True, kw_only=True)
class ShiftedJob:
    """`job` with its operands and its result so many bytes behind the starts of their buffers.

    For a device whose engine goes by addresses.
    """

    job: DeviceJob
    source_shift: int
    weights_shift: int
    target_shift: int

    @property
    def layer(self) -> str:
        """Of the job, and where."""
        return f"{self.job.layer} at +{self.source_shift}, +{self.weights_shift} -> +{self.target_shift}"

    @property
    def configuration_hash(self) -> str:
        """Of the job."""
        return self.job.configuration_hash

    @property
    def source_bytes(self) -> int:
        """What lies ahead included."""
        return self.source_shift + self.job.source_bytes

    @property
    def weights_bytes(self) -> int:
        """What lies ahead included."""
        return self.weights_shift + self.job.weights_bytes

    @property
    def target_bytes(self) -> int:
        """What lies ahead included; it stays as it is."""
        return self.target_shift + self.job.target_bytes

    @property
    def descriptor_count(self) -> int:
        """Of the job."""
        return self.job.descriptor_count

    def descriptors(self, *, input_address: int, weights_address: int, output_address: int) -> list[Encodable]:
        """Those of the job, with everything shifted."""
        return self.job.descriptors(
            input_address=input_address + self.source_shift, weights_address=weights_address + self.weights_shift,
            output_address=output_address + self.target_shift)


@dataclass(frozen=True, kw_only=True)
class _Changed:
    descriptor: Encodable
    change: Callable[[np.ndarray], None]

    def encode(self, configuration_hash: str) -> np.ndarray:
        words = self.descriptor.encode(configuration_hash).copy()
        self.change(words)
        return words


@dataclass(frozen=True, kw_only=True)
class CorruptedJob:
    """`job` whose last descriptor is changed after it was encoded."""

    job: DeviceJob
    change: Callable[[np.ndarray], None]

    def __getattr__(self, name: str) -> object:
        return getattr(self.job, name)

    def descriptors(self, **addresses: int) -> list[Encodable]:
        """Those of the job, the last one wrong."""
        *others, last = self.job.descriptors(**addresses)
        return [*others, _Changed(descriptor=last, change=self.change)]
