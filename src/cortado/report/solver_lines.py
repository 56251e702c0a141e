"""What a solver tells, one line for people each."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from cortado.solver.event import Displayed, Event, Scored

# An output of more values than this is told by its shape.
MOST_VALUES = 8


def event_lines(event: Event, *, with_test_loss: bool = False) -> list[str]:
    """As `caffe train` has them; `with_test_loss` is `test_compute_loss`."""
    if isinstance(event, Displayed):
        rate = "" if event.rate is None else f", lr = {event.rate:g}"
        return [f"iteration {event.iteration}, loss = {event.loss:.6g}{rate} ({event.seconds:.2f} s)",
                *(f"    {line}" for line in output_lines(event.outputs, event.loss_weights))]
    if isinstance(event, Scored):
        loss = [f"    loss = {event.scores.loss:.6g}"] if with_test_loss and event.scores.loss is not None else []
        return [f"iteration {event.iteration}, test network {event.network}", *loss,
                *(f"    {line}" for line in output_lines(event.scores.outputs, event.scores.loss_weights))]
    return [f"iteration {event.iteration}, snapshot {event.path}"]


def output_lines(outputs: Mapping[str, np.ndarray], loss_weights: Mapping[str, float]) -> list[str]:
    """One line for each output: its values, and what they add to the loss."""
    lines = []
    for name, value in outputs.items():
        weight = loss_weights.get(name)
        if value.size > MOST_VALUES:
            lines.append(f"{name}: {'x'.join(map(str, value.shape))} values, mean {value.mean():.6g}")
            continue
        for number in value.reshape(-1):
            share = f" (* {weight:g} = {weight * number:.6g} loss)" if weight else ""
            lines.append(f"{name} = {number:.6g}{share}")
    return lines


def outputs_data(outputs: Mapping[str, np.ndarray]) -> dict[str, list[float]]:
    """Outputs for JSON: the values of each, in a row."""
    return {name: [float(number) for number in value.reshape(-1)] for name, value in outputs.items()}
