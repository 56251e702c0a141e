"""One layer on one batch, ready for a device."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from cortado.engines.estimate import Estimate
from cortado.gateware.convolution_shape import ConvolutionShape
from cortado.gateware.descriptor import Descriptor
from cortado.gateware.map_window import MapWindow
from cortado.gateware.mapping import ArrangedLayout, Mapping
from cortado.gateware.memory_layout import MapLayout
from cortado.gateware.weight_packing import pack_weights
from cortado.numerics.convolution import IntegerConvolution


@dataclass(frozen=True, kw_only=True)
class Job:
    """An integer convolution of a batch, with its place in memory left open.

    A simulated or real engine gets the packed maps, the packed weights and the descriptors; the golden device gets the
    convolution itself.
    """

    layer: str
    convolution: IntegerConvolution
    mapping: Mapping
    window: MapWindow | None = None
    """Where the output lies among those of other layers, as a Concat wants it; only for results as they are."""

    def __post_init__(self) -> None:
        if self.window is not None:
            assert self.window.own == self.mapping.target.canonical, "a window is for results that lie as they are"

    @property
    def shape(self) -> ConvolutionShape:
        """Sizes of the convolution."""
        return self.mapping.shape

    @property
    def configuration_hash(self) -> str:
        """Of the engine this job was made for."""
        return self.mapping.blocking.configuration.hash

    @property
    def source(self) -> ArrangedLayout:
        """How the input lies in memory."""
        return self.mapping.source

    @property
    def target(self) -> ArrangedLayout | MapWindow:
        """How the output lies in memory."""
        return self.window or self.mapping.target

    @property
    def target_pitches(self) -> MapLayout | MapWindow:
        """How the output of the convolution as it is arranged lies in memory, for who writes it row by row."""
        layout = self.mapping.target.layout
        if self.window is None:
            return layout
        whole = replace(layout, channels=self.window.whole.channels)
        return replace(self.window, whole=whole)

    @cached_property
    def weights(self) -> np.ndarray:
        """The packed weights and channel records, uint8."""
        return pack_weights(self.convolution, self.mapping.arrangement.arrange_weight(self.convolution.weight),
                            self.mapping.blocking)

    @property
    def source_bytes(self) -> int:
        """Size of the input."""
        return self.source.size_bytes

    @property
    def weights_bytes(self) -> int:
        """Size of weights and records."""
        return self.weights.nbytes

    @property
    def target_bytes(self) -> int:
        """Size of the output."""
        return self.target.size_bytes

    @property
    def descriptor_count(self) -> int:
        """Descriptors of the whole batch."""
        return len(self.descriptors(input_address=0, weights_address=0, output_address=0))

    @property
    def estimate(self) -> Estimate:
        """What the job will cost."""
        return Estimate(cycles=self.mapping.cycles, macs=self.shape.macs,
                        multipliers=self.mapping.blocking.configuration.multipliers)

    def descriptors(self, *, input_address: int, weights_address: int, output_address: int) -> list[Descriptor]:
        """The descriptors in order, with everything at the given byte addresses."""
        return list(self.mapping.blocking.descriptors(
            self.source.layout, self.target_pitches, input_address=input_address, weights_address=weights_address,
            output_address=output_address + self.target_pitches.offset))

    def golden(self, maps: np.ndarray) -> np.ndarray:
        """The layer's result for int8 maps (N, C, H, W)."""
        return self.convolution.golden(maps)

    def write_result(self, source: np.ndarray, weights: np.ndarray, target: np.ndarray) -> None:
        """Write the packed output for the packed input into `target`, uint8; the weights are those of the job."""
        self.target.put(self.golden(self.source.unpack(source)), target)
