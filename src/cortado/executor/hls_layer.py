"""The layers of a plan that an HLS project holds: those on the FPGA, and those of kernels that are asked for."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence

import numpy as np

from cortado.engines.add_job import AddJob
from cortado.engines.map_layer import integer_pooling
from cortado.engines.pooling_job import PoolingJob
from cortado.errors import LayerError, PlanError
from cortado.executor.fpga_layer import FpgaLayer
from cortado.graph.spec import LayerSpec
from cortado.hls.convolution_call import FUSED, ConvolutionCalls
from cortado.hls.fused_call import FusedCalls
from cortado.hls.inner_product_call import InnerProductCalls
from cortado.hls.kernel_calls import KernelCalls
from cortado.hls.map_call import RELU, AddCalls, PoolingCalls, ReluCalls
from cortado.hls.render import LARGEST_INPUTS
from cortado.numerics.leaky_relu import nearest_slope
from cortado.planner.plan import Plan

# Kernels that no layer on the FPGA runs on by itself.
WANTED_KERNELS = (FUSED, RELU)


class HlsLayer(ABC):
    """A layer of a plan on one HLS kernel."""

    def __init__(self, plan: Plan, name: str) -> None:
        self.plan, self.name = plan, name

    @property
    def spec(self) -> LayerSpec:
        """The layer as the network has it."""
        return self.plan.cut.net.layer(self.name)

    @property
    def bottoms(self) -> tuple[str, ...]:
        """Blobs it reads."""
        return self.spec.bottoms

    @abstractmethod
    def operands(self, values: Mapping[str, np.ndarray]) -> list[np.ndarray]:
        """Its whole numbers from the float values of its bottoms, by blob."""

    @abstractmethod
    def calls(self, operands: Sequence[np.ndarray]) -> KernelCalls:
        """Its calls on operands of these shapes."""


class JobLayer(HlsLayer):
    """A layer on the FPGA."""

    def operands(self, values: Mapping[str, np.ndarray]) -> list[np.ndarray]:
        return FpgaLayer(self.plan, self.name).operands(values)

    def calls(self, operands: Sequence[np.ndarray]) -> KernelCalls:
        layer, dims = FpgaLayer(self.plan, self.name), operands[0].shape
        job = layer.job(dims)
        if isinstance(job, PoolingJob):
            return PoolingCalls(job=job)
        if isinstance(job, AddJob):
            return AddCalls(job=job)
        # Of one picture every weight is used once.
        if layer.spec.type == "InnerProduct" and dims[0] == 1 and dims[1] <= LARGEST_INPUTS:
            return InnerProductCalls(name=self.name, configuration=layer.engine.configuration,
                                     convolution=self.plan.convolutions[self.name])
        return ConvolutionCalls(job=job)


class PooledLayer(JobLayer):
    """A convolution on the FPGA with the Pooling layer behind it."""

    def __init__(self, plan: Plan, name: str, pooling: LayerSpec) -> None:
        super().__init__(plan, name)
        self.pooling = pooling

    def calls(self, operands: Sequence[np.ndarray]) -> KernelCalls:
        return FusedCalls(convolution=super().calls(operands), pooling=integer_pooling(self.pooling))


class ReluLayer(HlsLayer):
    """A ReLU that is fused into no other layer."""

    def operands(self, values: Mapping[str, np.ndarray]) -> list[np.ndarray]:
        (bottom,) = self.bottoms
        return [self.plan.cut.activations.quantise(values[bottom], self.plan.scales[bottom])]

    def calls(self, operands: Sequence[np.ndarray]) -> KernelCalls:
        slope = nearest_slope(self.spec.parameters.negative_slope)
        if slope is None:
            raise LayerError(self.name, "the HLS kernel 'relu' takes slopes from 0 to 255/256, not "
                                        f"{self.spec.parameters.negative_slope:g}")
        return ReluCalls(name=self.name, configuration=self.plan.cut.engine.configuration, count=operands[0].size,
                         slope=slope)


def hls_layers(plan: Plan, kernels: Collection[str] = ()) -> list[HlsLayer]:
    """The layers on the FPGA, then those for each of `kernels`, from `WANTED_KERNELS`.

    Raises `PlanError` where the network has no layer for one of them.
    """
    found: list[HlsLayer] = [JobLayer(plan, name) for name in plan.cut.fpga_layers]
    for kernel in kernels:
        candidates = _pooled_layers(plan) if kernel == FUSED else [
            ReluLayer(plan, layer.name) for layer in plan.cut.net.layers if layer.type == "ReLU"]
        if not candidates:
            wanted = ("a convolution on the FPGA with a Pooling behind it" if kernel == FUSED else
                      "a ReLU that is not fused into the layer before it")
            raise PlanError(f"network '{plan.cut.net.name}': must have {wanted} to write the HLS kernel '{kernel}'; "
                            "leave it out (--kernel)")
        found += candidates
    return found


def _pooled_layers(plan: Plan) -> list[HlsLayer]:
    """Convolutions the fused kernel takes with the Pooling behind them. Raises `LayerError` where it takes none."""
    writers = {top: name for name in plan.cut.fpga_layers if name in plan.convolutions
               for top in plan.cut.net.layer(name).tops}
    pairs = [PooledLayer(plan, writers[layer.bottoms[0]], layer) for layer in plan.cut.net.layers
             if layer.type == "Pooling" and layer.bottoms[0] in writers]
    taken, refusal = [], None
    for pair in pairs:
        try:
            shape = plan.cut.placement(pair.name).bottoms[0].dims
            pair.calls([np.empty(FpgaLayer(plan, pair.name).operand_dims(shape), np.int8)]).calls()
        except LayerError as error:
            refusal = refusal or error
        else:
            taken.append(pair)
    if refusal is not None and not taken:
        raise refusal
    return taken
