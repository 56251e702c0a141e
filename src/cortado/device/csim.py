"""The csim device: the engine's kernels as HLS C++, compiled with g++, without a clock."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from cortado.device.device import JobRecord, device_types
from cortado.device.host_memory import HostMemoryDevice
from cortado.engines.add_job import AddJob
from cortado.engines.design import Design
from cortado.engines.job import Job
from cortado.engines.pooling_job import PoolingJob
from cortado.errors import DeviceError
from cortado.gateware.configuration import WinogradConfiguration
from cortado.hls.compilation import build_kernels
from cortado.hls.convolution_call import DIRECT, POINTWISE, WINOGRAD, ConvolutionCalls
from cortado.hls.kernel_calls import KernelCall
from cortado.hls.kernel_library import KernelLibrary
from cortado.hls.map_call import ADD, POOLING, AddCalls, PoolingCalls
from cortado.hls.render import kernel_files

# Parts of a layer for each processor: an aborted job ends after the part that runs.
PARTS = 4
# The kernels that jobs of the engine run on.
JOB_KERNELS = (WINOGRAD, DIRECT, POINTWISE, POOLING, ADD)


@device_types.register("csim")
class CsimDevice(HostMemoryDevice):
    """Runs the C++ kernels of an engine's configuration on its packed maps: the C simulation of the HLS design.

    Maps lie as they do for the circuit. Weights go to the kernels in their own order, out of the job. Parts of a layer
    run in as many threads as the process has processors.

    Raises `DeviceError` when a wave is asked of it; programming it raises `ToolError` without g++ or the headers of
    the HLS types.
    """

    name = "csim"
    _library: KernelLibrary | None = None

    def _load(self, design: Design) -> None:
        super()._load(design)
        if not isinstance(design.configuration, WinogradConfiguration):
            raise DeviceError(f"device 'csim': the engine must be winograd to have HLS kernels, not {design.engine}")
        self._library = KernelLibrary(build_kernels(kernel_files(design.configuration), JOB_KERNELS))

    def _execute(self, prepared: tuple, record: JobRecord) -> None:
        job, source, second, target = prepared
        if isinstance(job, PoolingJob):
            self._call(PoolingCalls(job=job).calls()[0], source, target)
        elif isinstance(job, AddJob):
            self._call(AddCalls(job=job).calls()[0], source, second, target)
        elif isinstance(job, Job):
            self._convolve(ConvolutionCalls(job=job), source, target)
        else:
            raise DeviceError(f"device 'csim': layer '{job.layer}' must be a job of the winograd engine, not "
                              f"{type(job).__name__}")

    def _convolve(self, convolution: ConvolutionCalls, source: np.ndarray, target: np.ndarray) -> None:
        weights, processors = convolution.weights, len(os.sched_getaffinity(0))
        parts = [part for call in convolution.calls() for part in call.parts(PARTS * processors)]
        with ThreadPoolExecutor(max_workers=processors, thread_name_prefix="csim") as pool:
            running = [pool.submit(self._call, part, source, weights, target) for part in parts]
            for future in running:
                future.result()

    def _call(self, call: KernelCall, *memory: np.ndarray) -> None:
        if self._stop.is_set():
            raise DeviceError("device 'csim': the job was ended by the caller")
        self._library.run(call, *memory)
