"""What the recurrent layer types share: sequences, continuation marks, state. No layer type lives here.

Source: Caffe's `recurrent_layer.cpp`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from cortado.errors import FieldError
from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec
from cortado.layers.filler import Filler
from cortado.layers.layer import Layer


@dataclass(frozen=True, kw_only=True)
class RecurrentParameters:
    """Caffe's RecurrentParameter, without its debug_info."""

    num_output: int
    weight_filler: Filler = field(default_factory=Filler)
    bias_filler: Filler = field(default_factory=Filler)
    expose_hidden: bool = False

    def __post_init__(self) -> None:
        if self.num_output < 1:
            raise FieldError("num_output", f"must be at least 1, not {self.num_output}")


class Recurrent(Layer):
    """A layer type over T steps of N sequences.

    Bottoms: x (T, N, ...); marks (T, N), 0 where a sequence begins and 1 where it goes on; optionally x_static
    (N, ...), which goes into every step. Top: (T, N, num_output). The state after the last step is where the next pass
    goes on, unless `expose_hidden` makes it bottoms and tops of their own, (1, N, num_output) each, behind the others.
    A pass over another number of sequences begins anew. No gradient goes from one pass into the one before.
    """

    parameters_type = RecurrentParameters
    parameters_field = "recurrent_param"
    bottom_counts = range(2, 6)
    top_counts = range(1, 4)

    # How many blobs the state has.
    states: ClassVar[int]
    # Outputs of the transforms of x and of the state, in units of num_output.
    gates: ClassVar[int]

    def __init__(self, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> None:
        super().__init__(spec, bottoms)
        size = (bottoms[0].dims[1], spec.parameters.num_output)
        for index in range(self.states):
            self.register_buffer(f"state{index}", torch.zeros(size))

    @classmethod
    def top_shapes(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> tuple[TensorShape, ...]:
        parameters = spec.parameters
        exposed = cls.states if parameters.expose_hidden else 0
        if len(bottoms) - exposed not in (2, 3) or len(spec.tops) != 1 + exposed:
            raise spec.error(f"{spec.type} must have {2 + exposed} or {3 + exposed} bottoms and {1 + exposed} tops, "
                             f"not {len(bottoms)} and {len(spec.tops)}")
        if bottoms[0].rank < 3:
            raise spec.error(f"bottom '{spec.bottoms[0]}' must be steps of sequences (T, N, ...), not {bottoms[0]}")
        steps, sequences = bottoms[0].dims[:2]
        if bottoms[1].dims != (steps, sequences):
            raise spec.error(f"bottom '{spec.bottoms[1]}' must have one mark for each step of each sequence, "
                             f"{steps}x{sequences}, not {bottoms[1]}")
        if cls._has_static(spec) and (bottoms[2].rank < 2 or bottoms[2].dims[0] != sequences):
            raise spec.error(f"bottom '{spec.bottoms[2]}' must be values of {sequences} sequences (N, ...), not "
                             f"{bottoms[2]}")
        state = TensorShape((1, sequences, parameters.num_output))
        for index in range(len(bottoms) - exposed, len(bottoms)):
            if bottoms[index] != state:
                raise spec.error(f"bottom '{spec.bottoms[index]}' must be a state, {state}, not {bottoms[index]}")
        return (TensorShape((steps, sequences, parameters.num_output)), *(state,) * exposed)

    @classmethod
    def blob_shapes(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> tuple[TensorShape, ...]:
        hidden = spec.parameters.num_output
        rows = cls.gates * hidden
        static = ((rows, bottoms[2].count // bottoms[2].dims[0]),) if cls._has_static(spec) else ()
        inputs = bottoms[0].count // (bottoms[0].dims[0] * bottoms[0].dims[1])
        return tuple(TensorShape(dims) for dims in ((rows, inputs), (rows,), *static, (rows, hidden)))

    @classmethod
    def macs(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> int:
        steps, sequences = bottoms[0].dims[:2]
        shapes = cls.blob_shapes(spec, bottoms)
        static = sequences * shapes[2].count if cls._has_static(spec) else 0
        rest = [shape.count for index, shape in enumerate(shapes)
                if shape.rank == 2 and not (index == 2 and cls._has_static(spec))]
        return steps * sequences * sum(rest) + static

    @classmethod
    def keeps_scale(cls, spec: LayerSpec) -> bool:
        return False

    @classmethod
    def fillers(cls, spec: LayerSpec) -> tuple[Filler, ...]:
        """Weights and biases as `blob_shapes` has them."""
        parameters = spec.parameters
        static = (parameters.weight_filler,) if cls._has_static(spec) else ()
        return (parameters.weight_filler, parameters.bias_filler, *static, parameters.weight_filler)

    @classmethod
    def seeded_blobs(cls, spec: LayerSpec, shapes: tuple[TensorShape, ...],
                     generator: np.random.Generator) -> tuple[np.ndarray, ...]:
        """Each weight with variance 1 over its inputs, biases 0."""
        return tuple((generator.standard_normal(shape.dims) / math.sqrt(shape.dims[1])).astype(np.float32)
                     if shape.rank == 2 else np.zeros(shape.dims, np.float32) for shape in shapes)

    @classmethod
    def _has_static(cls, spec: LayerSpec) -> bool:
        return len(spec.bottoms) - (cls.states if spec.parameters.expose_hidden else 0) == 3

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        spec = self.spec
        x, marks = bottoms[0], bottoms[1].to(bottoms[0].dtype)
        transformed = functional.linear(x.flatten(2), self.blobs[0], self.blobs[1])
        if self._has_static(spec):
            transformed = transformed + functional.linear(bottoms[2].flatten(1), self.blobs[2])
        state = self._first_state(bottoms)
        outputs = []
        for values, mark in zip(transformed, marks, strict=True):
            output, state = self.step(values, mark[:, None], state)
            outputs.append(output)
        if spec.parameters.expose_hidden:
            return (torch.stack(outputs), *(value[None] for value in state))
        for index, value in enumerate(state):
            setattr(self, f"state{index}", value.detach())
        return (torch.stack(outputs),)

    def step(self, values: Tensor, mark: Tensor, state: tuple[Tensor, ...]) -> tuple[Tensor, tuple[Tensor, ...]]:
        """One step: the output and the next state, (N, num_output) each, from the transformed x (N, rows), the marks
        (N, 1) and the state.
        """
        raise NotImplementedError

    def _first_state(self, bottoms: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        if self.spec.parameters.expose_hidden:
            return tuple(value[0] for value in bottoms[-self.states:])
        kept = tuple(getattr(self, f"state{index}") for index in range(self.states))
        size = (bottoms[0].shape[1], self.spec.parameters.num_output)
        return tuple(value.to(bottoms[0].dtype) if value.shape == size else bottoms[0].new_zeros(size)
                     for value in kept)
