"""What a network says of its own data: the mean of its outputs over some batches."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import torch

from cortado.errors import GraphError
from cortado.net.net import Net


@dataclass(frozen=True, kw_only=True)
class Scores:
    """`outputs` are means over the batches, by blob; `loss` is that of the whole, None for a network without one."""

    iterations: int
    outputs: Mapping[str, np.ndarray] = field(repr=False)
    loss_weights: Mapping[str, float]
    loss: float | None


def score(net: Net, iterations: int, *, told: Callable[[int, Mapping[str, np.ndarray]], None] | None = None) -> Scores:
    """Run `iterations` batches of the network's own data and average, as `caffe test` does.

    `told` is given each batch's number and outputs. Raises `GraphError` for a network whose input the caller fills.
    """
    if net.inputs:
        raise GraphError(f"network '{net.spec.name}': its data must come from layers of its own to be scored, but "
                         f"'{net.inputs[0]}' is an input; give the phase, the stages or the file that has data layers")
    sums: dict[str, np.ndarray] = {}
    loss = 0.0
    has_loss = bool(net.loss_weights)
    with torch.no_grad():
        for iteration in range(iterations):
            values = net()
            outputs = {name: values[name].numpy().astype(np.float64) for name in net.outputs}
            if told is not None:
                told(iteration, outputs)
            for name, value in outputs.items():
                sums[name] = sums.get(name, 0) + value
            loss += float(net.loss(values)) if has_loss else 0
    return Scores(iterations=iterations, outputs={name: value / iterations for name, value in sums.items()},
                  loss_weights={name: weight for name, weight in net.loss_weights.items() if name in sums},
                  loss=loss / iterations if has_loss else None)
