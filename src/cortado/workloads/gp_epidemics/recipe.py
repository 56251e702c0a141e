"""The recipe: fit, predict, hold against the paper."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from cortado.errors import FieldError
from cortado.frontends.solver_file import SolverFile, read_solver
from cortado.resources import models_root
from cortado.workloads.figure import Bar, Published
from cortado.workloads.gp_epidemics.files import CASES
from cortado.workloads.gp_epidemics.log_difference import LogBase
from cortado.workloads.run import Run
from cortado.workloads.workload import Bench, Outcome, Workload, workloads


@dataclass(frozen=True, kw_only=True)
class Settings:
    """`data` and `column` are a CSV file of one's own in place of the dataset."""

    smoothing: int = 30
    lag: int = 7
    base: LogBase = LogBase.TEN
    window: int = 30
    horizon: int = 20
    modelling_noise: float = 0.002
    prediction_noise: float = 0.003
    data: Path | None = None
    column: str = ""

    def __post_init__(self) -> None:
        for name, least in (("smoothing", 1), ("lag", 1), ("window", 2), ("horizon", 1)):
            if getattr(self, name) < least:
                raise FieldError(name, f"must be at least {least}, not {getattr(self, name)}")
        for name in ("modelling_noise", "prediction_noise"):
            if getattr(self, name) <= 0:
                raise FieldError(name, f"must be above 0, not {getattr(self, name)}")


@workloads.register("gp_epidemics")
class GpEpidemics(Workload):
    """Gaussian process regression of the log differences of an epidemic."""

    title: ClassVar[str] = "Gaussian process regression for epidemics"
    paper: ClassVar[str] = "She, Xin, Paré, Hale 2024, arXiv 2312.09384 v3"
    datasets: ClassVar[Mapping[str, str]] = {"uk": "COVID-19 in the United Kingdom, 2022-03-01 to 2023-03-01"}
    settings_type: ClassVar[type] = Settings
    published: ClassVar[tuple[Published, ...]] = ()
    benches: ClassVar[tuple[Bench, ...]] = (Bench(dataset="uk", minutes=0.2, bars=(
        Bar(split="modelling", metric="coverage", least=0.9778, most=0.9858),)),)

    def run(self, run: Run) -> Outcome:
        settings = run.settings
        source = str(run.own_file(settings.data)) if settings.data else CASES
        if settings.data is None:
            run.file(CASES)
        file = read_solver(models_root() / "gp_epidemics" / "solver.prototxt").with_parameters(
            "series", source=source, column=settings.column, smoothing=settings.smoothing, lag=settings.lag,
            base=settings.base)
        run.expect(500)
        modelling = run.part("modelling", lambda: self._modelling(run, file), iterations=500)
        return Outcome(metrics={"modelling": modelling})

    def _modelling(self, run: Run, file: SolverFile) -> dict[str, Any]:
        fit = run.fit("modelling", file)
        values = {name: value.detach().numpy() for name, value in fit.solver.tests[0]().items()}
        error = values["mean"] - values["ahead_difference"]
        inside = np.abs(error) <= 1.96 * np.sqrt(values["posterior_variance"])
        return {"coverage": float(inside.mean()), "mse": float(np.square(error).mean())}
