"""Running a plan: host layers in torch, FPGA layers on a device."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch

from cortado.device.device import Device
from cortado.engines.add_job import AddJob
from cortado.engines.device_job import DeviceJob
from cortado.engines.job import Job
from cortado.engines.map_layer import MAP_TYPES
from cortado.engines.pooling_job import PoolingJob
from cortado.errors import DeviceError
from cortado.executor.run import LayerRun, Run
from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec
from cortado.layers.convolution_view import ConvolutionView
from cortado.net.net import Net
from cortado.planner.plan import Placement, Plan, Target
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

    def run(self, inputs: Mapping[str, np.ndarray], *, compare: int = 0) -> Run:
        """Run a batch of float32 `inputs` by blob.

        `compare` is how often an FPGA layer is held against golden, to the bit: 1 every one, N the first and every Nth
        behind it, 0 none.
        """
        begin = time.perf_counter()
        if not self.plan.cut.fpga_layers and self._device.options.wave is not None:
            raise DeviceError(f"device '{self._device.name}': no layer runs on it, so there is no wave to write (see "
                              "cortado inspect)")
        values: dict[str, np.ndarray] = {name: np.asarray(value, np.float32) for name, value in inputs.items()}
        layers = []
        for placement in self.plan.cut.placements:
            if self._started is not None:
                self._started(placement)
            on_fpga = sum(layer.placement.target is Target.FPGA for layer in layers)
            layers.append(self._run_layer(placement, values, compare > 0 and on_fpga % compare == 0))
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

        self._device.program(self.plan.cut.engine_of(layer.name).design())
        if layer.type in MAP_TYPES:
            return self._run_map_layer(placement, layer, values, compare, begin)
        source = self.maps(layer.name, values[layer.bottoms[0]])
        job = self.job(layer.name, source)
        result, counters = run_job(self._device, job, source)
        view = ConvolutionView(layer=layer, bottom=TensorShape(values[layer.bottoms[0]].shape))
        values[layer.tops[0]] = self.plan.cut.activations.dequantise(result, self.plan.scales[layer.tops[0]]).astype(
            np.float32).reshape(view.top.dims)
        seconds = time.perf_counter() - begin
        equal = bool(np.array_equal(result, job.convolution.golden(source))) if compare else None
        return LayerRun(placement=placement, seconds=seconds, counters=counters, equal_to_golden=equal,
                        bytes_moved=job.source_bytes + job.weights_bytes + job.target_bytes)

    def _run_map_layer(self, placement: Placement, layer: LayerSpec, values: dict[str, np.ndarray], compare: bool,
                       begin: float) -> LayerRun:
        operands = self.operands(layer.name, values)
        job = self.map_job(layer.name, operands[0])
        result, counters = run_map_job(self._device, job, operands)
        values[layer.tops[0]] = self.plan.cut.activations.dequantise(
            result, self.plan.scales[layer.tops[0]]).astype(np.float32)
        seconds = time.perf_counter() - begin
        return LayerRun(placement=placement, seconds=seconds, counters=counters,
                        equal_to_golden=bool(np.array_equal(result, job.golden(*operands))) if compare else None,
                        bytes_moved=job.source_bytes + job.weights_bytes + job.target_bytes)

    def operands(self, layer: str, values: Mapping[str, np.ndarray]) -> list[np.ndarray]:
        """The int8 maps (N, C, H, W) a pooling or an addition takes, one for each bottom, from float values by blob."""
        return [self.plan.cut.activations.quantise(values[name], self.plan.scales[name])
                for name in self.plan.cut.net.layer(layer).bottoms]

    def map_job(self, layer: str, operand: np.ndarray) -> PoolingJob | AddJob:
        """The job of a pooling or an addition on int8 maps (N, C, H, W) like `operand`."""
        engine = self.plan.cut.engine_of(layer)
        return engine.map_job(layer, self.plan.map_operations[layer], TensorShape(operand.shape))

    def maps(self, layer: str, bottom: np.ndarray) -> np.ndarray:
        """The integer maps (N, C, H, W) an FPGA layer takes, from the float values of its bottom."""
        spec = self.plan.cut.net.layer(layer)
        view = ConvolutionView(layer=spec, bottom=TensorShape(bottom.shape))
        return self.plan.cut.activations.quantise(bottom, self.plan.scales[spec.bottoms[0]]).reshape(view.maps.dims)

    def job(self, layer: str, source: np.ndarray) -> Job:
        """The job of an FPGA layer on integer maps (N, C, H, W)."""
        return self.plan.cut.engine_of(layer).job(layer, self.plan.convolutions[layer], TensorShape(source.shape))


def run_job(device: Device, job: Job, source: np.ndarray) -> tuple[np.ndarray, Counters | None]:
    """Move integer maps (N, C, H, W) and weights to the device, run, bring the result back."""
    result, counters = _run_packed(device, job, job.source.pack(source), job.weights)
    return job.target.unpack(result), counters


def run_map_job(device: Device, job: PoolingJob | AddJob,
                operands: Sequence[np.ndarray]) -> tuple[np.ndarray, Counters | None]:
    """Move one or two operands, int8 maps (N, C, H, W), to the device, run, bring the int8 result back."""
    second = job.source.pack(operands[1]) if len(operands) > 1 else np.zeros(0, np.uint8)
    result, counters = _run_packed(device, job, job.source.pack(operands[0]), second)
    return job.target.unpack(result), counters


def _run_packed(device: Device, job: DeviceJob, source: np.ndarray,
                weights: np.ndarray) -> tuple[np.ndarray, Counters | None]:
    """The same with everything packed."""
    buffers = []
    try:
        for size in (job.source_bytes, job.weights_bytes, job.target_bytes):
            buffers.append(device.allocate(size))
        inputs, second, outputs = buffers
        device.write(inputs, source)
        device.write(second, weights)
        counters = device.run(job, source=inputs, weights=second, target=outputs)
        return device.read(outputs), counters
    finally:
        for buffer in buffers:
            device.free(buffer)
