"""How fast accuracy settles over the epochs, the paper's claim against its baselines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from cortado.workloads.picture import Picture

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Of what is reached in the end.
SETTLED = 0.95


@dataclass(frozen=True, kw_only=True)
class Curve:
    """Accuracy on the held-out graphs by fold and epoch, (folds, epochs)."""

    epochs: tuple[int, ...]
    accuracies: np.ndarray = field(repr=False)


def settled(curve: Curve) -> int:
    """The first epoch from which on the mean over the folds stays above 95 % of its last value."""
    mean = curve.accuracies.mean(0)
    below = np.flatnonzero(mean < SETTLED * mean[-1])
    return curve.epochs[below[-1] + 1 if len(below) else 0]


def convergence_picture(dataset: str, curves: Mapping[str, Curve], kernel: float | None) -> Picture:
    """Mean accuracy over the folds by epoch, with a band of one standard deviation for the first curve."""

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        for number, (name, curve) in enumerate(curves.items()):
            mean, deviation = curve.accuracies.mean(0), curve.accuracies.std(0)
            line, = axes.plot(curve.epochs, mean, label=name, linewidth=1.8 if number == 0 else 1)
            if number == 0:
                axes.fill_between(curve.epochs, mean - deviation, mean + deviation, color=line.get_color(), alpha=0.12,
                                  linewidth=0)
        if kernel is not None:
            axes.axhline(kernel, color="black", linestyle=":", label="WL kernel")
        axes.set(xlabel="epoch", ylabel="accuracy on held-out graphs", title=f"{dataset}: mean over the folds")
        axes.legend(loc="lower right", fontsize="small")

    return Picture(name="convergence", draw=draw)
