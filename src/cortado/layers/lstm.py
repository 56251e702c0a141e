"""LSTM: sequences with a memory that gates open and close."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from cortado.layers.layer import layer_types
from cortado.layers.recurrent import Recurrent


@layer_types.register("LSTM")
class LSTM(Recurrent):
    """i, f, o = sigmoid, g = tanh of the four quarters of W_x x + b + W_h (m h); c' = m f c + i g, h' = o tanh(c').

    m is the mark of the step. States: h, then c. Blobs: W_x (4 D, I), b (4 D,), the weight of x_static (4 D, S) where
    there is one, W_h (4 D, D). Sources: Hochreiter & Schmidhuber 1997; Zaremba & Sutskever 2014; Caffe's
    `lstm_layer.cpp` and `lstm_unit_layer.cpp`.
    """

    states = 2
    gates = 4

    def step(self, values: Tensor, mark: Tensor, state: tuple[Tensor, ...]) -> tuple[Tensor, tuple[Tensor, ...]]:
        hidden, cell = state
        quarters = (values + functional.linear(mark * hidden, self.blobs[-1])).chunk(4, 1)
        opened, kept, shown = (quarter.sigmoid() for quarter in quarters[:3])
        cell = mark * kept * cell + opened * quarters[3].tanh()
        hidden = shown * torch.tanh(cell)
        return hidden, (hidden, cell)
