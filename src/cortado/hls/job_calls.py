"""A job of the engine as kernel calls: what it computes and how its operands lie is the job's to say."""

from __future__ import annotations

import numpy as np

from cortado.engines.add_job import AddJob
from cortado.engines.job import Job
from cortado.engines.pooling_job import PoolingJob
from cortado.hls.kernel_calls import KernelCalls


class JobCalls(KernelCalls):
    """The calls of `job`."""

    job: Job | PoolingJob | AddJob

    @property
    def layer(self) -> str:
        return self.job.layer

    def golden(self, *operands: np.ndarray) -> np.ndarray:
        return self.job.golden(*operands)

    def pack(self, operand: np.ndarray) -> np.ndarray:
        return self.job.source.pack(operand)

    def pack_result(self, result: np.ndarray) -> np.ndarray:
        return self.job.target.pack(result)
