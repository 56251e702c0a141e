"""A layer of a plan that runs on the FPGA: its operands and its jobs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property

import numpy as np

from cortado.engines.add_job import AddJob
from cortado.engines.engine import Engine
from cortado.engines.job import Job
from cortado.engines.map_layer import MAP_TYPES
from cortado.engines.pooling_job import PoolingJob
from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec
from cortado.layers.convolution_view import ConvolutionView
from cortado.layers.layer import layer_types
from cortado.planner.plan import Plan

AnyJob = Job | PoolingJob | AddJob


class FpgaLayer:
    """The layer of that name in a plan. Operands are whole numbers (N, C, H, W), one for each bottom."""

    def __init__(self, plan: Plan, name: str) -> None:
        self.plan, self.name = plan, name

    @cached_property
    def spec(self) -> LayerSpec:
        """The layer as the network has it."""
        return self.plan.cut.net.layer(self.name)

    @property
    def engine(self) -> Engine:
        """The engine it runs on."""
        return self.plan.cut.engine_of(self.name)

    @property
    def is_map_layer(self) -> bool:
        """Whether it runs from map to map, without the multipliers."""
        return self.spec.type in MAP_TYPES

    def operand_dims(self, bottom: Sequence[int]) -> tuple[int, int, int, int]:
        """(N, C, H, W) of an operand for a bottom of that shape; an inner product takes all values as channels."""
        if self.is_map_layer:
            return tuple(bottom)
        return ConvolutionView(layer=self.spec, bottom=TensorShape(tuple(bottom))).maps.dims

    def top_dims(self, bottoms: Sequence[Sequence[int]]) -> tuple[int, ...]:
        """Shape of its top in the network."""
        shapes = tuple(TensorShape(tuple(bottom)) for bottom in bottoms)
        return layer_types[self.spec.type].top_shapes(self.spec, shapes)[0].dims

    def operands(self, values: Mapping[str, np.ndarray]) -> list[np.ndarray]:
        """Its operands from the float values of its bottoms, by blob."""
        activations, scales = self.plan.cut.activations, self.plan.scales
        return [activations.quantise(values[name], scales[name]).reshape(self.operand_dims(values[name].shape))
                for name in self.spec.bottoms]

    def job(self, dims: Sequence[int]) -> AnyJob:
        """Its job on operands of shape (N, C, H, W)."""
        shape = TensorShape(tuple(dims))
        if self.is_map_layer:
            return self.engine.map_job(self.name, self.plan.map_operations[self.name], shape)
        return self.engine.job(self.name, self.plan.convolutions[self.name], shape,
                               self.plan.cut.placement(self.name).staying)

    def joined_job(self, dims: Sequence[int]) -> AnyJob:
        """Its job as it runs in the network: where a Concat by address takes its results, they are written there."""
        job, join = self.job(dims), self.plan.cut.join_of(self.name)
        return replace(job, window=join.window(self.name, job.target.canonical)) if join else job
