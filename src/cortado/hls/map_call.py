"""From the engine's jobs from map to map to the scalars of the C++ kernels, on the same packed maps."""

from __future__ import annotations

from cortado.engines.add_job import AddJob
from cortado.engines.pooling_job import PoolingJob
from cortado.numerics.pooling import PoolingKind

WINDOWS = ("whole", "column", "row", "corner")


def pooling_scalars(job: PoolingJob) -> dict[str, int]:
    """The scalars of `pooling`, in order; one call pools every block of channels of the batch."""
    pooling, source, target = job.mapping.pooling, job.source, job.target
    size = source.height, source.width
    kernel = pooling.kernel_over(size)
    scalars = {
        "planes": source.batch * source.blocks, "height": source.height, "width": source.width,
        "out_height": target.height, "out_width": target.width, "kernel_height": kernel[0], "kernel_width": kernel[1],
        "row_stride": pooling.stride[0], "column_stride": pooling.stride[1], "top": pooling.pad[0],
        "left": pooling.pad[1], "is_average": int(pooling.kind is PoolingKind.AVERAGE),
    }
    factors = pooling.requantize(size)
    for window, multiplier, shift in zip(WINDOWS, factors.multiplier, factors.shift, strict=True):
        scalars |= {f"{window}_multiplier": int(multiplier), f"{window}_shift": int(shift)}
    return scalars


def add_scalars(job: AddJob) -> dict[str, int]:
    """The scalars of `elementwise_add`, in order."""
    addition = job.addition
    return {"beats": job.source_bytes // job.configuration.beat_bytes, "first_multiplier": addition.multipliers[0],
            "second_multiplier": addition.multipliers[1], "shift": addition.shift, "is_relu": int(addition.relu)}
