"""One layer on one batch, ready for a device."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from cortado.engines.estimate import Estimate
from cortado.gateware.blocking import Blocking, ConvolutionShape
from cortado.gateware.descriptor import Descriptor
from cortado.gateware.memory_layout import MapLayout, pack_weights
from cortado.numerics.convolution import IntegerConvolution


@dataclass(frozen=True, kw_only=True)
class Job:
    """An integer convolution of a batch, with its place in memory left open.

    A simulated or real engine gets the packed maps, the packed weights and the descriptors; the golden device gets the
    convolution itself.
    """

    layer: str
    convolution: IntegerConvolution
    blocking: Blocking

    @property
    def shape(self) -> ConvolutionShape:
        """Sizes of the convolution."""
        return self.blocking.shape

    @property
    def configuration_hash(self) -> str:
        """Of the engine this job was made for."""
        return self.blocking.configuration.hash

    @property
    def source(self) -> MapLayout:
        """How the input lies in memory."""
        return MapLayout(batch=self.shape.batch, channels=self.shape.channels, height=self.shape.height,
                         width=self.shape.width, lanes=self.blocking.configuration.pc,
                         beat_bytes=self.blocking.configuration.beat_bytes)

    @property
    def target(self) -> MapLayout:
        """How the output lies in memory."""
        return MapLayout(batch=self.shape.batch, channels=self.shape.filters, height=self.shape.out_height,
                         width=self.shape.out_width, lanes=self.blocking.configuration.pk,
                         beat_bytes=self.blocking.configuration.beat_bytes)

    @cached_property
    def weights(self) -> np.ndarray:
        """The packed weights and channel records, uint8."""
        return pack_weights(self.convolution, self.blocking.configuration)

    @property
    def descriptor_count(self) -> int:
        """Blocks of the whole batch."""
        return self.shape.batch * len(self.blocking.spans)

    @property
    def estimate(self) -> Estimate:
        """What the job will cost."""
        return Estimate(cycles=self.blocking.cycles, macs=self.shape.macs,
                        multipliers=self.blocking.configuration.multipliers)

    def descriptors(self, *, input_address: int, weights_address: int, output_address: int) -> list[Descriptor]:
        """The blocks in order, with everything at the given byte addresses."""
        return list(self.blocking.descriptors(self.source, self.target, input_address=input_address,
                                              weights_address=weights_address, output_address=output_address))
