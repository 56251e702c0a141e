"""LogDifferenceData: a window of the log differences of an epidemic."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from cortado.errors import FieldError
from cortado.frontends.data_file import data_files
from cortado.frontends.data_store import path_to
from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec
from cortado.layers.layer import UntrainedLayer, layer_types
from cortado.layers.source_path import source_path
from cortado.workloads.gp_epidemics.case_series import read_cases
from cortado.workloads.gp_epidemics.log_difference import LogBase, log_differences


@dataclass(frozen=True, kw_only=True)
class LogDifferenceDataParameters:
    """Parameters of LogDifferenceData.

    `source` is a data file's name or a CSV file, `column` its column (empty: the only one). Cases are averaged over
    `smoothing` days and compared over `lag` days. `count` points from `first` on are the window (0: all that follow),
    the `horizon` points after it are those to predict (0: the window itself).
    """

    source: str
    column: str = ""
    smoothing: int = 30
    lag: int = 7
    base: LogBase = LogBase.TEN
    first: int = 0
    count: int = 0
    horizon: int = 0

    def __post_init__(self) -> None:
        for name, least in (("smoothing", 1), ("lag", 1), ("first", 0), ("count", 0), ("horizon", 0)):
            if getattr(self, name) < least:
                raise FieldError(name, f"must be at least {least}, not {getattr(self, name)}")
        if self.horizon and not self.count:
            raise FieldError("count", "must be given where there is a horizon, not 0")


@layer_types.register("LogDifferenceData")
class LogDifferenceData(UntrainedLayer):
    """Times in days and log differences of the window, (n,) each, and of the points to predict, (m,) each.

    Every pass gives the same.
    """

    parameters_type = LogDifferenceDataParameters
    parameters_field = "log_difference_data_param"
    bottom_counts = range(1)
    top_counts = range(2, 5)

    def __init__(self, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> None:
        super().__init__(spec, bottoms)
        for index, value in enumerate(_values(spec)):
            self.register_buffer(f"top{index}", torch.from_numpy(value), persistent=False)

    @classmethod
    def top_shapes(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> tuple[TensorShape, ...]:
        return tuple(TensorShape(value.shape) for value in _values(spec))[:len(spec.tops)]

    @classmethod
    def keeps_scale(cls, spec: LayerSpec) -> bool:
        return False

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        return (self.top0, self.top1, self.top2, self.top3)[:len(self.spec.tops)]


def _values(spec: LayerSpec) -> tuple[np.ndarray, ...]:
    parameters = spec.parameters
    if parameters.source in data_files:
        path = path_to(parameters.source)
    else:
        path = source_path(parameters.source, spec.position.file if spec.position else ".")
    cases = read_cases(path, parameters.column or None)
    needed = parameters.smoothing + parameters.lag
    if len(cases) < needed:
        raise spec.error(f"'{parameters.source}' must have at least {needed} days for a smoothing of "
                         f"{parameters.smoothing} and a lag of {parameters.lag}, it has {len(cases)}")
    differences = log_differences(cases, smoothing=parameters.smoothing, lag=parameters.lag, base=parameters.base)
    times = np.arange(len(differences), dtype=np.float64)
    first = parameters.first
    last = first + parameters.count if parameters.count else len(differences)
    end = last + parameters.horizon
    if first >= last or end > len(differences):
        raise spec.error(f"points {first} to {end} must be among the {len(differences)} log differences of "
                         f"'{parameters.source}'")
    ahead = slice(last, end) if parameters.horizon else slice(first, last)
    return times[first:last], differences[first:last], times[ahead], differences[ahead]
