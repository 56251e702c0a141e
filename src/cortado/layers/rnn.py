"""RNN: sequences with one hidden vector."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec
from cortado.layers.filler import Filler
from cortado.layers.layer import layer_types
from cortado.layers.recurrent import Recurrent


@layer_types.register("RNN")
class RNN(Recurrent):
    """h' = tanh(W_x x + b + W_h (m h)), and the output tanh(W_o h' + b_o).

    m is the mark of the step. State: h. Blobs: W_x (D, I), b (D,), the weight of x_static (D, S) where there is one,
    W_h (D, D), W_o (D, D), b_o (D,). Source: Caffe's `rnn_layer.cpp`.
    """

    states = 1
    gates = 1

    @classmethod
    def blob_shapes(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> tuple[TensorShape, ...]:
        hidden = spec.parameters.num_output
        return (*super().blob_shapes(spec, bottoms), TensorShape((hidden, hidden)), TensorShape((hidden,)))

    @classmethod
    def fillers(cls, spec: LayerSpec) -> tuple[Filler, ...]:
        return (*super().fillers(spec), spec.parameters.weight_filler, spec.parameters.bias_filler)

    def step(self, values: Tensor, mark: Tensor, state: tuple[Tensor, ...]) -> tuple[Tensor, tuple[Tensor, ...]]:
        hidden = (values + functional.linear(mark * state[0], self.blobs[-3])).tanh()
        return functional.linear(hidden, self.blobs[-2], self.blobs[-1]).tanh(), (hidden,)
