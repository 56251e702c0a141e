"""The scalars of the fused kernel: a 3 x 3 convolution, its ReLU and a 2 x 2 max pooling of stride 2 in one pass."""

from __future__ import annotations

from dataclasses import dataclass, replace

from cortado.engines.job import Job
from cortado.errors import LayerError
from cortado.gateware.memory_layout import MapLayout
from cortado.hls.convolution_call import FUSED, WINOGRAD, ConvolutionCalls, KernelCall

POOL = 2


@dataclass(frozen=True, kw_only=True)
class FusedCalls:
    """A convolution of the engine followed by the pooling. The output holds pooled maps.

    Raises `LayerError` for a convolution that is not run as it is, by Winograd, on one bundle of channels.
    """

    convolution: ConvolutionCalls

    def __post_init__(self) -> None:
        mapping, job = self.convolution.job.mapping, self.convolution.job
        if (self.convolution.kernel, str(mapping.arrangement), len(mapping.blocking.bundles)) != (WINOGRAD, "plain", 1):
            raise LayerError(job.layer, "the fused HLS kernel takes a 3x3 convolution of stride 1, one picture after "
                                        f"the other, in one group, not {mapping.words}")

    @property
    def target(self) -> MapLayout:
        """How the pooled maps lie in memory; windows that reach beyond the map count as Caffe counts them."""
        layout = self._job.target.layout
        return replace(layout, height=-(-layout.height // POOL), width=-(-layout.width // POOL))

    @property
    def _job(self) -> Job:
        return self.convolution.job

    def calls(self) -> list[KernelCall]:
        """One call for each picture."""
        (bundle,) = self._job.mapping.blocking.bundles
        size = self.convolution.block_size(bundle, kernel=FUSED)
        blocks = {"block_rows": size.rows, "block_columns": size.columns, "blocks": size.count}
        return [replace(call, kernel=FUSED, output_offset=image * self.target.image_pitch,
                        scalars={**call.scalars, **blocks})
                for image, call in enumerate(self.convolution.calls())]
