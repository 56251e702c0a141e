"""The scalars of the fused kernel: a 3 x 3 convolution, its ReLU and a max pooling of stride 2 in one pass."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import islice

import numpy as np

from cortado.engines.job import Job
from cortado.errors import LayerError
from cortado.gateware.blocking import Bundle
from cortado.gateware.memory_layout import MapLayout
from cortado.hls.block_size import BlockSize, choose_block_size
from cortado.hls.convolution_call import FUSED, WINOGRAD, ConvolutionCalls, convolution_dsps, kernel_shape
from cortado.hls.kernel_calls import KernelCall, KernelCalls
from cortado.numerics.pooling import IntegerPooling, PoolingKind

WINDOWS = (2, 3)
STEP = 2


@dataclass(frozen=True, kw_only=True)
class FusedCalls(KernelCalls):
    """A convolution of the engine followed by a pooling. The output holds pooled maps.

    Raises `LayerError` for a convolution that is not run as it is, by Winograd, and for a pooling that is not the
    maximum of 2x2 or 3x3 with stride 2 and no padding.
    """

    convolution: ConvolutionCalls
    pooling: IntegerPooling

    def __post_init__(self) -> None:
        mapping, job = self._job.mapping, self._job
        if (self.convolution.kernel, str(mapping.arrangement)) != (WINOGRAD, "plain"):
            raise LayerError(job.layer, "the fused HLS kernel takes a 3x3 convolution of stride 1, one picture after "
                                        f"the other, not {mapping.words}")
        pooling = self.pooling
        if (pooling.kind is not PoolingKind.MAX or pooling.kernel not in [(edge, edge) for edge in WINDOWS]
                or pooling.stride != (STEP, STEP) or pooling.pad != (0, 0)):
            raise LayerError(job.layer, "the fused HLS kernel pools the maximum of 2x2 or 3x3 with stride 2 and no "
                                        f"padding, not {pooling.kind.value} of {pooling.kernel} with stride "
                                        f"{pooling.stride} and padding {pooling.pad}")

    @property
    def layer(self) -> str:
        return self.convolution.layer

    @property
    def kernel(self) -> str:
        return FUSED

    @property
    def macs(self) -> int:
        return self.convolution.macs

    @property
    def dsps(self) -> int:
        return convolution_dsps(self.convolution.kernels, FUSED)

    @property
    def weights(self) -> np.ndarray:
        return self.convolution.weights

    @property
    def port_bytes(self) -> tuple[int, ...]:
        return self._job.source_bytes, self.weights.nbytes, self.target.size_bytes

    def golden(self, *operands: np.ndarray) -> np.ndarray:
        return self.pooling.golden(self.convolution.golden(*operands))

    def pack(self, operand: np.ndarray) -> np.ndarray:
        return self.convolution.pack(operand)

    def pack_result(self, result: np.ndarray) -> np.ndarray:
        return self.target.pack(result)

    @property
    def target(self) -> MapLayout:
        """How the pooled maps lie in memory."""
        layout = self._job.target.layout
        height, width = self.pooling.output_size((layout.height, layout.width))
        return replace(layout, height=height, width=width)

    def block_size(self, bundle: Bundle) -> BlockSize:
        """The blocks of a bundle. Raises `LayerError` naming the limit where none fits."""
        convolution = self.convolution
        shape = kernel_shape(convolution.kernels, convolution.shape, self._job.layer, bundle)
        return choose_block_size(convolution.kernels, replace(
            shape, kernel=FUSED, rows_below=int(self.pooling.kernel[0] > STEP)))

    @property
    def cycles(self) -> int:
        return self.convolution.shape.batch * sum(self.block_size(bundle).cycles for bundle in self._bundles)

    @property
    def _job(self) -> Job:
        return self.convolution.job

    def calls(self) -> list[KernelCall]:
        target, batch = self.target, self.convolution.shape.batch
        pooled = {"window": self.pooling.kernel[0], "pooled_height": target.height, "pooled_width": target.width}
        calls, found = iter(self.convolution.calls()), []
        for bundle in self._bundles:
            size = self.block_size(bundle)
            scalars = {"block_rows": size.rows, "block_columns": size.columns, "lead_rows": size.lead_rows,
                       "blocks": size.count}
            first = bundle.filters.first // self.convolution.kernels.engine.pk * target.plane_pitch
            for image, call in enumerate(islice(calls, batch)):
                found.append(replace(call, kernel=FUSED, scalars={**call.scalars, **scalars, **pooled},
                                     offsets=(*call.offsets[:-1], image * target.image_pitch + first)))
        return found

    @property
    def _bundles(self) -> tuple[Bundle, ...]:
        return tuple(self._job.mapping.blocking.bundles)
