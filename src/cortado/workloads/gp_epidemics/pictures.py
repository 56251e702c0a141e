"""Pictures: data, mean, band and bound."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from cortado.workloads.gp_epidemics.posterior import INTERVAL, Posterior
from cortado.workloads.picture import Picture

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DAYS, DIFFERENCE = "day", "log difference"


def modelling_picture(posterior: Posterior) -> Picture:
    """Example 1: the whole series."""

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        _draw_posterior(axes, (posterior,))
        axes.set(xlabel=DAYS, ylabel=DIFFERENCE, title="modelling: growth above 0, decline below")

    return Picture(name="modelling", draw=draw)


def prediction_picture(posteriors: Sequence[Posterior]) -> Picture:
    """Example 2: each window's predictions, and below their errors under the bound of Theorem 1."""

    def draw(figure: Figure) -> None:
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(2, 1))
        _draw_posterior(upper, posteriors)
        upper.set(ylabel=DIFFERENCE, title="rolling prediction")
        for number, posterior in enumerate(posteriors):
            labels = ("error", "bound") if number == 0 else (None, None)
            lower.plot(posterior.times, np.abs(posterior.error), color="C3", linewidth=1, label=labels[0])
            lower.plot(posterior.times, posterior.bound, color="black", linewidth=1, label=labels[1])
        lower.set(xlabel=DAYS, ylabel="size", yscale="log")
        lower.legend(fontsize="small", loc="lower right")

    return Picture(name="prediction", draw=draw)


def _draw_posterior(axes: Axes, posteriors: Sequence[Posterior]) -> None:
    for number, posterior in enumerate(posteriors):
        labels = ("observed", "mean", "95 % interval") if number == 0 else (None,) * 3
        half = INTERVAL * posterior.deviation
        axes.plot(posterior.times, posterior.observed, ".", color="0.4", markersize=3, label=labels[0])
        axes.plot(posterior.times, posterior.mean, color="C0", linewidth=1.2, label=labels[1])
        axes.fill_between(posterior.times, posterior.mean - half, posterior.mean + half, color="C0", alpha=0.2,
                          linewidth=0, label=labels[2])
    axes.axhline(0, color="black", linewidth=0.6)
    axes.legend(fontsize="small")
