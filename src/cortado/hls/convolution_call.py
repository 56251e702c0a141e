"""From a job of the engine to calls of the C++ kernels, on the same packed maps."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from cortado.engines.job import Job
from cortado.gateware.blocking import Blocking, Bundle
from cortado.gateware.convolution_shape import PIECE, ConvolutionShape
from cortado.hls.block_size import BlockSize, KernelShape, Tiling, choose_block_size
from cortado.hls.dsp import dsps_of, requantise_dsps
from cortado.hls.job_calls import JobCalls
from cortado.hls.kernel_calls import KernelCall
from cortado.hls.kernel_configuration import KernelConfiguration
from cortado.hls.weight_packing import pack_bundles

WINOGRAD, DIRECT, POINTWISE = "winograd_convolution", "direct_convolution", "pointwise_convolution"
FUSED = "convolution_relu_pool"


@dataclass(frozen=True, kw_only=True)
class ConvolutionCalls(JobCalls):
    """A job as kernel calls: one for each picture and each bundle of groups."""

    job: Job

    @property
    def macs(self) -> int:
        return self.job.shape.macs

    @cached_property
    def kernels(self) -> KernelConfiguration:
        """The kernels of the job's engine."""
        return KernelConfiguration(self.job.mapping.blocking.configuration)

    @property
    def shape(self) -> ConvolutionShape:
        """The convolution the kernels run: the job's, as it is arranged for the engine."""
        return self.job.mapping.blocking.shape

    @property
    def kernel(self) -> str:
        """Who runs it: 3 x 3 of stride 1 by Winograd, 1 x 1 by its own kernel, everything else directly."""
        return kernel_of(self.shape)

    @property
    def _blocking(self) -> Blocking:
        return self.job.mapping.blocking

    @cached_property
    def weights(self) -> np.ndarray:
        """Records and weights, uint8."""
        return np.concatenate(self._bundle_weights)

    @cached_property
    def _bundle_weights(self) -> list[np.ndarray]:
        convolution = self.job.convolution
        return pack_bundles(convolution, self.job.mapping.arrangement.arrange_weight(convolution.weight),
                            self.kernels.engine, self._blocking.bundles, winograd=self.kernel == WINOGRAD)

    def block_size(self, bundle: Bundle) -> BlockSize:
        """The blocks of a bundle."""
        return _cached_block_size(self.kernels, kernel_shape(self.kernels, self.shape, self.job.layer, bundle))

    @property
    def cycles(self) -> int:
        return self.shape.batch * sum(self.block_size(bundle).cycles for bundle in self._blocking.bundles)

    @property
    def dsps(self) -> int:
        return convolution_dsps(self.kernels, self.kernel)

    @property
    def port_bytes(self) -> tuple[int, ...]:
        return self.job.source_bytes, self.weights.nbytes, self.job.target_bytes

    def calls(self) -> list[KernelCall]:
        source, target = self.job.source.layout, self.job.target_pitches
        engine, found, weights_offset = self.kernels.engine, [], 0
        for bundle, weights in zip(self._blocking.bundles, self._bundle_weights, strict=True):
            size = self.block_size(bundle)
            for image in range(self.shape.batch):
                offsets = (image * source.image_pitch + bundle.channels.first // engine.pc * source.plane_pitch,
                           weights_offset,
                           target.offset + image * target.image_pitch
                           + bundle.filters.first // engine.pk * target.plane_pitch)
                found.append(KernelCall(kernel=self.kernel, offsets=offsets, scalars=self._scalars(size)))
            weights_offset += weights.nbytes
        return found

    def _scalars(self, size: BlockSize) -> dict[str, int]:
        shape = self.shape
        blocks = {"channel_blocks": size.shape.channel_blocks, "filter_blocks": size.shape.filter_blocks}
        part = {"first_block": 0, "blocks": size.count}
        if self.kernel == POINTWISE:
            return {"pixels": shape.width, **blocks, "block_columns": size.columns, **part}
        scalars = {
            "height": shape.height, "width": shape.width, "top": shape.pad[0], "left": shape.pad[2],
            "out_height": shape.out_height, "out_width": shape.out_width, **blocks,
            "block_rows": size.rows, "block_columns": size.columns, "lead_rows": size.lead_rows, **part,
        }
        if self.kernel == DIRECT:
            for name, pair in (("kernel", shape.kernel), ("stride", shape.stride), ("dilation", shape.dilation)):
                names = ("kernel_height", "kernel_width") if name == "kernel" else (f"row_{name}", f"column_{name}")
                scalars.update(zip(names, pair, strict=True))
        return scalars


def kernel_of(shape: ConvolutionShape) -> str:
    """The kernel for a convolution as it is arranged for the engine."""
    if shape.kernel == (1, 1) and shape.stride == (1, 1) and shape.height == 1 and not any(shape.pad):
        return POINTWISE
    if shape.kernel == (PIECE, PIECE) and shape.stride == (1, 1) and shape.dilation == (1, 1):
        return WINOGRAD
    return DIRECT


def kernel_shape(kernels: KernelConfiguration, shape: ConvolutionShape, layer: str, bundle: Bundle) -> KernelShape:
    """A bundle of a convolution as its kernel sees it."""
    engine, kernel = kernels.engine, kernel_of(shape)
    if kernel == WINOGRAD:
        tiling = Tiling(rows=engine.m, columns=engine.m, row_step=engine.m, column_step=engine.m,
                        row_reach=engine.alpha, column_reach=engine.alpha)
    elif kernel == POINTWISE:
        pixels = kernels.input_pixels
        tiling = Tiling(rows=1, columns=pixels, row_step=1, column_step=pixels, row_reach=1, column_reach=pixels)
    else:
        reach = [(size - 1) * step + 1 for size, step in zip(shape.kernel, shape.dilation, strict=True)]
        tiling = Tiling(rows=1, columns=1, row_step=shape.stride[0], column_step=shape.stride[1], row_reach=reach[0],
                        column_reach=reach[1])
    return KernelShape(
        layer=layer, kernel=kernel, tiling=tiling,
        taps=shape.kernel[0] * shape.kernel[1] if kernel == DIRECT else 1,
        height=shape.height, width=shape.width, top=shape.pad[0], left=shape.pad[2],
        out_height=shape.out_height, out_width=shape.out_width,
        channel_blocks=engine.channel_blocks(bundle.channels.count),
        filter_blocks=engine.filter_blocks(bundle.filters.count))


def convolution_dsps(kernels: KernelConfiguration, kernel: str) -> int:
    """DSP48E2 of a kernel: its products of data and weights, and those of the requantisation."""
    engine = kernels.engine
    pairs = engine.pc * engine.pk
    if kernel in (WINOGRAD, FUSED):
        return (engine.alpha**2 * pairs * dsps_of(engine.widths.v_bits, engine.widths.u_bits)
                + requantise_dsps(kernels, engine.m**2))
    pixels = 1 if kernel == DIRECT else kernels.input_pixels
    return (pixels * pairs * dsps_of(engine.data_bits, engine.weight_bits)
            + requantise_dsps(kernels, pixels * engine.pk))


_cached_block_size = lru_cache(maxsize=4096)(choose_block_size)
