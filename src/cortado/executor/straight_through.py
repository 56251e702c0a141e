"""Training with the FPGA in the loop: forward as the device computes it, backward as if it had computed in float."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from cortado.device.device import Device
from cortado.engines.engine import Engine
from cortado.executor.executor import run_job
from cortado.frontends.solver_file import SolverFile
from cortado.graph.shape import TensorShape
from cortado.graph.spec import NetSpec
from cortado.layers.convolution_view import ConvolutionView
from cortado.net.net import Net, Stage
from cortado.net.shape_inference import infer_shapes
from cortado.net.weights import filled_weights
from cortado.numerics.fixed_point import FixedPoint
from cortado.passes.pipeline import prepare
from cortado.planner.calibration import Calibration
from cortado.planner.partition import partition
from cortado.planner.plan import Cut
from cortado.planner.quantisation import blob_scales, negative_slope, quantise_convolution

# Iterations between two looks at the ranges of the blobs, which move as weights do.
CALIBRATED_EVERY = 50


class StraightThroughStage(Stage):
    """A stage whose values are the device's and whose gradients are those of the float layer at the same bottom.

    Source: Bengio et al. 2013, "Estimating or Propagating Gradients Through Stochastic Neurons", section 4, the
    straight-through estimator. Its buffers are the scales of its bottom and top, 0 before the first calibration, when
    it is a float layer, and the number of passes.
    """

    def __init__(self, stage: Stage, engine: Engine, device: Device, activations: FixedPoint) -> None:
        torch.nn.Module.__init__(self)
        self.spec, self.layers = stage.spec, stage.layers
        self._engine, self._device, self._activations = engine, device, activations
        self.register_buffer("scales", torch.zeros(2, dtype=torch.float64))
        self.register_buffer("passes", torch.zeros((), dtype=torch.int64))

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        tops = super().forward(*bottoms)
        self.passes += 1
        if not self.scales.any():
            return tops
        return (tops[0] + (self._on_device(bottoms[0].detach()) - tops[0].detach()),)

    def set_scales(self, scales: Mapping[str, float]) -> None:
        """The scales, by blob, that the next passes have."""
        self.scales.copy_(torch.tensor([scales[self.spec.bottoms[0]], scales[self.spec.tops[0]]], dtype=torch.float64))

    def _on_device(self, bottom: Tensor) -> Tensor:
        spec, (own, made) = self.spec, self.scales.tolist()
        shape = TensorShape(tuple(bottom.shape))
        view = ConvolutionView(layer=spec, bottom=shape)
        convolution, _ = quantise_convolution(
            spec, shape, tuple(blob.detach().numpy() for blob in self.layer.blobs),
            {spec.bottoms[0]: own, spec.tops[0]: made}, data_bits=self._activations.width,
            weight_bits=self._engine.weight_bits)
        source = self._activations.quantise(bottom.numpy(), own).reshape(view.maps.dims)
        self._device.program(self._engine.design())
        job = self._engine.job(spec.name, convolution, TensorShape(source.shape))
        result, _ = run_job(self._device, job, source)
        return torch.from_numpy(self._activations.dequantise(result, made)).to(bottom.dtype).reshape(view.top.dims)


def fpga_training(file: SolverFile, engine: Engine) -> tuple[SolverFile, Cut]:
    """The solver file with a training network an engine can be in (ReLUs fused), and its cut.

    Layers and trained blobs keep their names. Raises what `prepare` and `partition` raise.
    """
    spec = _prepared(file.training)
    cut = partition(spec, infer_shapes(spec), engine)
    return SolverFile(spec=file.spec, training=spec, tests=file.tests, path=file.path), cut


def _prepared(spec: NetSpec) -> NetSpec:
    # In phase TRAIN no pass changes weights: any will do.
    return prepare(spec, filled_weights(spec, 0))[0]


def put_on_device(net: Net, cut: Cut, device: Device, *, calibration: Calibration | None = None,
                  every: int = CALIBRATED_EVERY) -> None:
    """Have the FPGA layers of a training network run forward on a device, from its second pass on.

    The first pass and every `every`th behind it sets the scales from the values it gave, blobs that share a scale in
    the cut's network sharing it here too.
    """
    calibration = calibration or Calibration()
    stages = []
    for name in cut.fpga_layers:
        place = net.spec.layers.index(net.spec.layer(name))
        stage = StraightThroughStage(net.stages[place], cut.engine_of(name), device, cut.activations)
        net.stages[place] = stage
        stages.append(stage)
    leaks = {layer.tops[0]: slope for layer in map(cut.net.layer, cut.fpga_layers)
             if (slope := negative_slope(layer))}

    def calibrate(module: Net, inputs: object, values: Mapping[str, Tensor]) -> None:
        if stages and (int(stages[0].passes) - 1) % every == 0:
            ranges = calibration.ranges_of(values, leaks, cut.activations)
            scales = blob_scales(cut.net, ranges, cut.activations)
            for stage in stages:
                stage.set_scales(scales)

    net.register_forward_hook(calibrate)
