"""What a device must know of a job, whatever it computes."""

from __future__ import annotations

from typing import Protocol

import numpy as np


class Encodable(Protocol):
    """A descriptor."""

    def encode(self, configuration_hash: str) -> np.ndarray:
        """Its 32 words, uint32."""


class DeviceJob(Protocol):
    """Bytes in, bytes out: two operands in memory become a result.

    `source` is the maps a layer reads. `weights` is its weights, or the second operand of an addition, or nothing.
    """

    layer: str

    @property
    def configuration_hash(self) -> str:
        """Of the engine the job was made for."""

    @property
    def source_bytes(self) -> int:
        """Size of the source."""

    @property
    def weights_bytes(self) -> int:
        """Size of the weights."""

    @property
    def target_bytes(self) -> int:
        """Size of the result."""

    @property
    def descriptor_count(self) -> int:
        """Descriptors of the job."""

    def descriptors(self, *, input_address: int, weights_address: int, output_address: int) -> list[Encodable]:
        """The descriptors in order, with everything at the given byte addresses."""

    def write_result(self, source: np.ndarray, weights: np.ndarray, target: np.ndarray) -> None:
        """Write what every device must write, the golden result for the packed operands, into `target`; all uint8."""
