"""The recipe: fit, predict, hold against the paper, its bounds and its baselines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from cortado.errors import FieldError, WorkloadError
from cortado.frontends.solver_file import SolverFile, read_solver
from cortado.resources import models_root
from cortado.workloads.figure import Bar, Published
from cortado.workloads.gp_epidemics import baselines
from cortado.workloads.gp_epidemics.case_series import read_cases
from cortado.workloads.gp_epidemics.error_bound import ErrorBound
from cortado.workloads.gp_epidemics.files import CASES
from cortado.workloads.gp_epidemics.hyperparameters import Hyperparameters, hyperparameters_of
from cortado.workloads.gp_epidemics.log_difference import LogBase
from cortado.workloads.gp_epidemics.pictures import modelling_picture, prediction_picture
from cortado.workloads.gp_epidemics.posterior import Posterior, accuracy
from cortado.workloads.gp_epidemics.published import PUBLISHED
from cortado.workloads.gp_epidemics.variance_bound import (
    allowed_radii,
    near_counts,
    printed_variance_bounds,
    variance_bounds,
)
from cortado.workloads.run import Run
from cortado.workloads.workload import Bench, Outcome, Workload, workloads

# Days ahead of which the error is told by itself, where the horizon has them.
TOLD_DAYS = (1, 5, 10, 20)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """`smoothing` and `lag` in days; `smoothings` and `lags` are those of the tables, each with the other as it is.

    Predictions are of `horizon` points after each `window` of points, the next window a horizon later. The noises are
    lower bounds of its variance, where its optimum always lies. `data` and `column` are a CSV file of one's own. The
    others are what Theorem 1 takes as known.
    """

    smoothing: int = 30
    lag: int = 7
    smoothings: tuple[int, ...] = ()
    lags: tuple[int, ...] = ()
    base: LogBase = LogBase.TEN
    window: int = 30
    horizon: int = 20
    modelling_noise: float = 0.002
    prediction_noise: float = 0.003
    baselines: bool = True
    interval: float = 50.0
    grid: float = 5.0
    steepness: float = 0.01
    risk: float = 0.05
    data: Path | None = None
    column: str = ""

    def __post_init__(self) -> None:
        for name, least in (("smoothing", 1), ("lag", 1), ("window", 5), ("horizon", 1)):
            if getattr(self, name) < least:
                raise FieldError(name, f"must be at least {least}, not {getattr(self, name)}")
        for name in ("smoothings", "lags"):
            if any(value < 1 for value in getattr(self, name)):
                raise FieldError(name, f"must each be at least 1, not {getattr(self, name)}")
        for name in ("modelling_noise", "prediction_noise"):
            if not 0 < getattr(self, name) < 1:
                raise FieldError(name, f"must be above 0 and below 1, where training begins, not {getattr(self, name)}")
        _ = self.error_bound

    @property
    def error_bound(self) -> ErrorBound:
        """Theorem 1 with these constants."""
        return ErrorBound(interval=self.interval, grid=self.grid, steepness=self.steepness, risk=self.risk)


@workloads.register("gp_epidemics")
class GpEpidemics(Workload):
    """Gaussian process regression of the log differences of an epidemic."""

    title: ClassVar[str] = "Gaussian process regression for epidemics"
    paper: ClassVar[str] = "She, Xin, Paré, Hale 2024, arXiv 2312.09384 v3"
    datasets: ClassVar[Mapping[str, str]] = {"uk": "COVID-19 in the United Kingdom, 2022-03-01 to 2023-03-01",
                                             "own": "a CSV file of daily cases: --data FILE --column NAME"}
    own_dataset: ClassVar[str | None] = "own"
    settings_type: ClassVar[type] = Settings
    published: ClassVar[tuple[Published, ...]] = PUBLISHED
    benches: ClassVar[tuple[Bench, ...]] = (
        Bench(dataset="uk", minutes=0.2, bars=(
            Bar(split="modelling", metric="coverage", least=0.9778, most=0.9858),
            Bar(split="modelling", metric="mse", least=6.60e-5, most=7.30e-5),
            Bar(split="prediction", metric="coverage", least=0.9389, most=0.9469),
            Bar(split="variance bound", metric="violations", most=0),
            Bar(split="error bound", metric="violations", most=0),
            Bar(split="error bound", metric="windows_not_monotone", most=0))),
        Bench(dataset="uk", minutes=0.6, bars=tuple(
            Bar(split=f"prediction, smoothing {days}", metric="coverage", least=coverage - 0.004, most=coverage + 0.004)
            for days, coverage in ((1, 0.8094), (3, 0.8313), (5, 0.8625), (10, 0.7967), (20, 0.7467), (30, 0.9429),
                                   (50, 0.7346))),
            settings={"smoothings": (1, 3, 5, 10, 20, 30, 50), "lags": (1, 3, 7, 14, 21, 28), "baselines": False}),
    )

    def run(self, run: Run) -> Outcome:
        if (run.dataset == self.own_dataset) != (run.settings.data is not None):
            raise WorkloadError(f"workload 'gp_epidemics': dataset '{self.own_dataset}' is that of --data FILE, and of "
                                "it alone")
        study = _Study(run)
        run.expect(study.most_iterations)
        modelling = study.modelling(run.settings.smoothing)
        prediction = study.prediction(run.settings.smoothing, run.settings.lag)
        comparison = study.prediction(run.settings.smoothing, run.settings.lag, comparison=True)
        metrics: dict[str, Mapping[str, float]] = {
            "modelling": accuracy((modelling.posterior,)), "prediction": accuracy(prediction.posteriors),
            "prediction by day": _by_day(prediction.posteriors), "comparison": accuracy(comparison.posteriors),
            "hyper-parameters": {"variance": modelling.parameters.variance, "length": modelling.parameters.length,
                                 "noise": modelling.parameters.noise},
            "error bound": _error_bound(prediction.posteriors), "variance bound": _variance_bound(prediction)}
        if run.settings.baselines:
            for name, predictor in baselines.MODELLING.items():
                metrics[f"modelling, {name}"] = accuracy(baselines.baseline(predictor, modelling.data, run.seed))
            for name, predictor in baselines.PREDICTION.items():
                metrics[f"comparison, {name}"] = accuracy(baselines.baseline(predictor, comparison.data, run.seed))
        for days in run.settings.smoothings:
            metrics[f"modelling, smoothing {days}"] = accuracy((study.modelling(days).posterior,))
            metrics[f"prediction, smoothing {days}"] = accuracy(study.prediction(days, run.settings.lag).posteriors)
        for days in run.settings.lags:
            metrics[f"prediction, lag {days}"] = accuracy(study.prediction(run.settings.smoothing, days).posteriors)
        return Outcome(metrics=metrics, pictures=(modelling_picture(modelling.posterior),
                                                  prediction_picture(prediction.posteriors)))


@dataclass(frozen=True, kw_only=True)
class _Fitted:
    """Processes fitted to windows, by window: their hyper-parameters, what they say, and what they were given."""

    all_parameters: tuple[Hyperparameters, ...]
    posteriors: tuple[Posterior, ...]
    data: tuple[tuple[np.ndarray, ...], ...]

    @property
    def posterior(self) -> Posterior:
        """Of the only window."""
        posterior, = self.posteriors
        return posterior

    @property
    def parameters(self) -> Hyperparameters:
        """Of the only window."""
        parameters, = self.all_parameters
        return parameters


class _Study:
    """All fits of a run; equal ones are made once."""

    def __init__(self, run: Run) -> None:
        self._run, self._settings = run, run.settings
        settings: Settings = run.settings
        self._source = str(settings.data) if settings.data else CASES
        path = run.own_file(settings.data) if settings.data else run.file(CASES)
        self._cases = read_cases(path, settings.column or None)
        self._file = read_solver(models_root() / "gp_epidemics" / "solver.prototxt").with_parameters(
            "series", source=self._source, column=settings.column, base=settings.base)
        self._known: dict[str, _Fitted] = {}

    @property
    def most_iterations(self) -> int:
        """Of all fits together."""
        settings = self._settings
        asked = {("modelling", days) for days in (settings.smoothing, *settings.smoothings)}
        pairs = {(settings.smoothing, settings.lag), *((days, settings.lag) for days in settings.smoothings),
                 *((settings.smoothing, days) for days in settings.lags)}
        fits = len(asked) + sum(len(self._begins(*pair, comparison=False)) for pair in pairs) \
            + len(self._begins(settings.smoothing, settings.lag, comparison=True))
        return fits * self._file.spec.max_iter

    def modelling(self, smoothing: int) -> _Fitted:
        """Example 1: the whole series, and what the process says of its own points."""
        settings = self._settings
        self._points(smoothing, settings.lag)
        return self._fitted(f"modelling-{smoothing}", self._file_of(smoothing, settings.lag, settings.modelling_noise),
                            ({},))

    def prediction(self, smoothing: int, lag: int, *, comparison: bool = False) -> _Fitted:
        """Example 2: rolling prediction. The notebook that compares with baselines takes one window more, and the noise
        of modelling.
        """
        settings = self._settings
        file = self._file_of(smoothing, lag, settings.modelling_noise if comparison else settings.prediction_noise)
        windows = tuple({"first": first, "count": settings.window, "horizon": settings.horizon}
                        for first in self._begins(smoothing, lag, comparison=comparison))
        return self._fitted(f"{'comparison' if comparison else 'prediction'}-{smoothing}-{lag}", file, windows)

    def _begins(self, smoothing: int, lag: int, *, comparison: bool) -> range:
        """The first point of each window. As in the notebooks, the last one must end before the series does."""
        points, needed = self._points(smoothing, lag), self._settings.window + self._settings.horizon
        if points <= needed:
            raise WorkloadError(f"'{self._source}': with smoothing {smoothing} and lag {lag} there must be more log "
                                f"differences than window + horizon, {needed}, not {points}; give more days, or a "
                                "smaller window or horizon")
        return range(0, points - needed + comparison, self._settings.horizon)

    def _points(self, smoothing: int, lag: int) -> int:
        """How many log differences there are."""
        points = len(self._cases) - smoothing + 1 - lag
        if points < 2:
            raise WorkloadError(f"'{self._source}': there must be at least {smoothing + lag + 1} days for smoothing "
                                f"{smoothing} and lag {lag}; there are {len(self._cases)}")
        return points

    def _file_of(self, smoothing: int, lag: int, noise: float) -> SolverFile:
        return self._file.with_parameters("series", smoothing=smoothing, lag=lag).with_parameters(
            "likelihood", lower_bound=noise)

    def _fitted(self, name: str, file: SolverFile, windows: Sequence[Mapping[str, int]]) -> _Fitted:
        if name in self._known:
            return self._known[name]
        parts = self._run.part(name, partial(self._fit, name, file, windows),
                               iterations=len(windows) * file.spec.max_iter)
        self._known[name] = _Fitted(
            all_parameters=tuple(Hyperparameters(**part["parameters"]) for part in parts),
            posteriors=tuple(Posterior.of_data(part["posterior"]) for part in parts),
            data=tuple(tuple(map(np.array, part["data"])) for part in parts))
        return self._known[name]

    def _fit(self, name: str, file: SolverFile, windows: Sequence[Mapping[str, int]]) -> list[dict[str, Any]]:
        """One process for each window."""
        parts = []
        for number, window in enumerate(windows):
            fit = self._run.fit(f"{name}-{number}", file.with_parameters("series", **window))
            net, = fit.solver.tests
            values = {blob: value.detach().numpy() for blob, value in net().items()}
            parameters = hyperparameters_of(net)
            bound = self._settings.error_bound.bounds(parameters, values["time"], values["difference"],
                                                      np.maximum(values["posterior_variance"], 0))
            posterior = Posterior(times=values["ahead_time"], mean=values["mean"], bound=bound,
                                  variance=values["posterior_variance"], observed=values["ahead_difference"])
            parts.append({
                "parameters": {"variance": parameters.variance, "length": parameters.length,
                               "noise": parameters.noise},
                "posterior": posterior.data(),
                "data": [values[blob].tolist() for blob in ("time", "difference", "ahead_time", "ahead_difference")]})
        return parts


def _by_day(posteriors: Sequence[Posterior]) -> dict[str, float]:
    """Mean squared error by days ahead, over the windows."""
    squares = np.square(np.stack([posterior.error for posterior in posteriors]))
    return {f"mse_day_{day}": float(squares[:, day - 1].mean()) for day in TOLD_DAYS if day <= squares.shape[1]}


def _error_bound(posteriors: Sequence[Posterior]) -> dict[str, float]:
    """Theorem 1 against what was observed; within a window the bound must not fall with the days ahead."""
    bounds = np.stack([posterior.bound for posterior in posteriors])
    errors = np.abs(np.stack([posterior.error for posterior in posteriors]))
    return {"points": bounds.size, "violations": int((errors > bounds).sum()),
            "windows_not_monotone": int((np.diff(bounds, axis=1) < 0).any(1).sum()), "mean": float(bounds.mean()),
            "smallest": float(bounds.min()), "largest": float(bounds.max()), "mean_error": float(errors.mean()),
            "largest_error": float(errors.max())}


def _variance_bound(fitted: _Fitted) -> dict[str, float]:
    """Lemma 1 as it should be and as it is printed, at every point ahead and for every whole radius it allows."""
    counts = {"pairs": 0, "violations": 0, "violations_as_printed": 0, "violations_as_printed_in_appendix": 0}
    for parameters, posterior, (times, *_) in zip(fitted.all_parameters, fitted.posteriors, fitted.data, strict=True):
        for time, variance in zip(posterior.times, posterior.variance, strict=True):
            radii = allowed_radii(parameters, np.arange(1.0, len(times) + len(posterior.times)))
            near = near_counts(time, times, radii)
            radii, near = radii[near > 0], near[near > 0]
            counts["pairs"] += len(radii)
            for name, bounds in (
                    ("violations", variance_bounds(parameters, radii, near)),
                    ("violations_as_printed", printed_variance_bounds(parameters, near, appendix=False)),
                    ("violations_as_printed_in_appendix", printed_variance_bounds(parameters, near, appendix=True))):
                counts[name] += int((variance > bounds).sum())
    return counts
