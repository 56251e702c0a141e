"""Gaussian process regression on the paper's data, as the paper has it; own data; what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from cortado.errors import WorkloadError
from cortado.workloads.gp_epidemics.recipe import GpEpidemics
from cortado.workloads.run import run_workload


def test_the_papers_figures(real_files, tmp_path):
    result = run_workload("gp_epidemics", folder=tmp_path / "a", settings={"baselines": False})
    metrics = result.metrics
    assert metrics["modelling"]["coverage"] == pytest.approx(0.9818, abs=0.004)
    assert metrics["modelling"]["mse"] == pytest.approx(6.95e-5, rel=0.05)
    assert metrics["prediction"]["coverage"] == pytest.approx(0.9429, abs=0.004)
    assert metrics["prediction"]["points"] == 280
    assert metrics["comparison"]["coverage"] == pytest.approx(0.94, abs=0.004)
    assert metrics["comparison"]["mse"] == pytest.approx(0.0019, rel=0.05)
    assert metrics["error bound"]["violations"] == metrics["error bound"]["windows_not_monotone"] == 0
    assert metrics["variance bound"]["violations"] == 0
    assert metrics["variance bound"]["violations_as_printed"] == metrics["variance bound"]["pairs"] > 5000
    assert {file.name for file in result.data} == {"uk-covid/cases"}
    assert result.pictures == ("modelling.png", "modelling.svg", "prediction.png", "prediction.svg")


@pytest.mark.slow
def test_the_table_of_windows_and_the_baselines(real_files, tmp_path):
    _, bench = GpEpidemics.benches
    metrics = run_workload("gp_epidemics", folder=tmp_path, settings={**bench.settings, "baselines": True}).metrics
    for bar in bench.bars:
        assert bar.met_by(metrics[bar.split][bar.metric]), bar.split
    # The baselines without random numbers, to the digits that are printed.
    assert round(metrics["comparison, polynomial"]["coverage"], 4) == 0.72
    assert round(metrics["comparison, polynomial"]["mse"], 4) == 0.0183
    assert round(metrics["comparison, k-NN"]["coverage"], 4) == 0.51
    assert round(metrics["comparison, k-NN"]["mse"], 4) == 0.0046


@pytest.fixture
def series(tmp_path, rng):
    path = tmp_path / "own.csv"
    days = np.arange(40)
    cases = 100 * np.exp(np.sin(days / 9)) * rng.uniform(0.95, 1.05, 40)
    path.write_text("day,town,county\n" + "\n".join(f"{day},{day + 1},{value}"
                                                    for day, value in zip(days, cases, strict=True)))
    return path


OWN = {"smoothing": 3, "lag": 2, "window": 12, "horizon": 5, "baselines": False}


def test_a_file_of_ones_own(series, tmp_path):
    result = run_workload("gp_epidemics", folder=tmp_path / "a", settings={
        **OWN, "data": str(series), "column": "county"})
    # 36 differences: windows from 0, 5, 10 and 15.
    assert (result.dataset, result.metrics["prediction"]["points"]) == ("own", 20)
    assert result.metrics["error bound"]["violations"] == 0
    assert [file.name for file in result.data] == [str(series)]


@pytest.mark.parametrize(("settings", "message"), [
    ({"window": 40}, ("'{path}': with smoothing 3 and lag 2 there must be more log differences than window + horizon, "
                      "45, not 36; give more days, or a smaller window or horizon")),
    ({"smoothing": 39}, "'{path}': there must be at least 42 days for smoothing 39 and lag 2; there are 40"),
    ({"column": "city"}, "'{path}': it must have a column 'city'; it has day, town, county"),
    ({"lags": (0,)}, "workload 'gp_epidemics': setting 'lags' must each be at least 1, not (0,)"),
    ({"modelling_noise": 2.0}, ("workload 'gp_epidemics': setting 'modelling_noise' must be above 0 and below 1, where "
                                "training begins, not 2.0")),
    ({"risk": 0.0}, "workload 'gp_epidemics': setting 'risk' must be above 0 and below 1, not 0.0"),
])
def test_what_is_refused(series, tmp_path, settings, message):
    with pytest.raises(WorkloadError) as caught:
        run_workload("gp_epidemics", folder=tmp_path / "a",
                     settings={**OWN, "data": str(series), "column": "county", **settings})
    assert str(caught.value) == message.format(path=series)
