"""Figures of the paper and its notebooks.

Not here are the paper's prediction errors by smoothing: they compare forecasts with the observations of five days
before, and those of 30 and 50 days are exchanged.
"""

from __future__ import annotations

from cortado.workloads.figure import Published

_PAPER = "arXiv 2312.09384 v3"
_NOTEBOOK = "the authors' notebooks"


def _published(split: str, source: str, **values: float) -> tuple[Published, ...]:
    return tuple(Published(dataset="uk", split=split, metric=metric, value=value, source=source)
                 for metric, value in values.items())


PUBLISHED = (
    *_published("modelling", _PAPER, coverage=0.9818, mse=6.9e-5),
    *_published("modelling, polynomial", _PAPER, coverage=0.9364, mse=4.8e-5),
    *_published("modelling, k-NN", _NOTEBOOK, coverage=0.9758, mse=8.0e-5),
    *_published("modelling, network", _PAPER, coverage=0.9333, mse=9.0e-5),
    *_published("prediction", _PAPER, coverage=0.9429),
    *_published("comparison", _NOTEBOOK, coverage=0.94, mse=0.0019),
    *_published("comparison, polynomial", _PAPER, coverage=0.72, mse=0.0183),
    *_published("comparison, k-NN", _PAPER, coverage=0.51, mse=0.0046),
    *_published("comparison, network", _PAPER, coverage=0.4367, mse=0.0070),
    *(entry for days, coverage in ((1, 0.8094), (3, 0.8312), (5, 0.8625), (10, 0.7967), (20, 0.7467), (30, 0.9429),
                                   (50, 0.7346))
      for entry in _published(f"prediction, smoothing {days}", _PAPER, coverage=coverage)),
)
