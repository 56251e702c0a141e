"""Running a plan: host layers in torch, FPGA layers on a device."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

import numpy as np
import torch

from cortado.device.device import Device
from cortado.engines.job import Job
from cortado.errors import DeviceError
from cortado.executor.run import LayerRun, Run
from cortado.graph.shape import TensorShape
from cortado.net.net import Net
from cortado.planner.plan import Placement, Plan, Target
from cortado.planner.quantisation import ACTIVATIONS
from cortado.simulation.counters import Counters


class Executor:
    """Runs a plan on one device. `net` is the plan's network with its weights; host layers are its modules.

    `started` is told each layer before it runs.
    """

    def __init__(self, plan: Plan, net: Net, device: Device, *,
                 started: Callable[[Placement], None] | None = None) -> None:
        self.plan = plan
        self._net = net
        self._device = device
        self._started = started

    def run(self, inputs: Mapping[str, np.ndarray], *, compare: bool = False) -> Run:
        """Run a batch of float32 `inputs` by blob; with `compare`, hold every FPGA layer against golden to the bit."""
        begin = time.perf_counter()
        if self.plan.cut.fpga_layers:
            self._device.program(self.plan.cut.engine.design())
        elif self._device.options.wave is not None:
            raise DeviceError(f"device '{self._device.name}': no layer runs on it, so there is no wave to write (see "
                              "cortado inspect)")
        values: dict[str, np.ndarray] = {name: np.asarray(value, np.float32) for name, value in inputs.items()}
        layers = []
        for placement in self.plan.cut.placements:
            if self._started is not None:
                self._started(placement)
            layers.append(self._run_layer(placement, values, compare))
        memory_model = self._device.memory_model if self.plan.cut.fpga_layers else None
        return Run(plan=self.plan, device=self._device.name, memory_model=str(memory_model) if memory_model else None,
                   batch=len(next(iter(values.values()))), layers=tuple(layers), values=values,
                   seconds=time.perf_counter() - begin)

    def _run_layer(self, placement: Placement, values: dict[str, np.ndarray], compare: bool) -> LayerRun:
        layer = self.plan.cut.net.layer(placement.layer)
        begin = time.perf_counter()
        if placement.target is Target.HOST:
            if layer.bottoms:
                with torch.no_grad():
                    tops = self._net.stage(layer.name)(*(torch.from_numpy(values[name]) for name in layer.bottoms))
                values.update({name: top.numpy() for name, top in zip(layer.tops, tops, strict=True)})
            return LayerRun(placement=placement, seconds=time.perf_counter() - begin)

        source = ACTIVATIONS.quantise(values[layer.bottoms[0]], self.plan.scales[layer.bottoms[0]])
        job = self.job(layer.name, source)
        result, counters = run_job(self._device, job, source)
        values[layer.tops[0]] = ACTIVATIONS.dequantise(result, self.plan.scales[layer.tops[0]]).astype(np.float32)
        seconds = time.perf_counter() - begin
        equal = bool(np.array_equal(result, job.convolution.golden(source))) if compare else None
        return LayerRun(placement=placement, seconds=seconds, counters=counters, equal_to_golden=equal,
                        bytes_moved=job.source.size_bytes + job.weights.nbytes + job.target.size_bytes)

    def job(self, layer: str, source: np.ndarray) -> Job:
        """The job of an FPGA layer on int8 maps (N, C, H, W)."""
        return self.plan.cut.engine.job(layer, self.plan.convolutions[layer], TensorShape(source.shape))


def run_job(device: Device, job: Job, source: np.ndarray) -> tuple[np.ndarray, Counters | None]:
    """Move int8 maps (N, C, H, W) and weights to the device, run, bring the int8 result back."""
    buffers = []
    try:
        for size in (job.source.size_bytes, job.weights.nbytes, job.target.size_bytes):
            buffers.append(device.allocate(size))
        inputs, weights, outputs = buffers
        device.write(inputs, job.source.pack(source))
        device.write(weights, job.weights)
        counters = device.run(job, source=inputs, weights=weights, target=outputs)
        return job.target.unpack(device.read(outputs)), counters
    finally:
        for buffer in buffers:
            device.free(buffer)
