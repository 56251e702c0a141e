"""What `cortado workload` prints, against the schemas and by what it must say."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from jsonschema import Draft202012Validator

from cortado.report.workload_report import bench_report, list_report, run_report, table_report
from cortado.workloads.bench import Measured
from cortado.workloads.figure import Bar
from cortado.workloads.result import Result, UsedFile
from cortado.workloads.workload import Bench

SCHEMAS = Path(__file__).parents[2] / "docs" / "schemas"

RESULT = Result(
    workload="gp_epidemics", dataset="uk", settings={"smoothing": 30, "data": None, "lags": [1, 2]}, seed=4,
    device=None, threads=1, data=(UsedFile(name="uk-covid/cases", sha256="0" * 64, size_bytes=3),),
    versions={"torch": "1"}, metrics={"modelling": {"coverage": 0.975, "points": 330}, "mine": {"x": 1.5}},
    pictures=("a.png",), seconds=2.5, resumed=False)


def violations(name, report):
    schema = json.loads((SCHEMAS / f"{name}.schema.json").read_text(encoding="utf-8"))
    return [error.message for error in Draft202012Validator(schema).iter_errors(json.loads(report.to_json()))]


def test_the_list():
    report = list_report()
    assert violations("workload-list", report) == []
    names = [entry["name"] for entry in report.data["workloads"]]
    assert {"gp_epidemics", "dagcn"} <= set(names)
    row = report.tables[0].rows[names.index("gp_epidemics")]
    assert row[2] == "uk, own"
    assert "smoothing=30" in row[3]
    assert "data=none" in row[3]


def test_a_run():
    report = run_report(RESULT, Path("runs/x"))
    assert violations("workload-run", report) == []
    assert report.tables[0].rows == (("modelling", "coverage", "0.975"), ("modelling", "points", "330"),
                                     ("mine", "x", "1.5"))
    assert report.lines == ("", "record    runs/x/result.json", "picture   runs/x/a.png", "wall time 2.50 s")


def test_results_beside_the_published_figures():
    report = table_report("gp_epidemics", (RESULT,))
    assert violations("workload-table", report) == []
    rows = {(row["split"], row["metric"]): row for row in report.data["rows"]}
    measured = rows["modelling", "coverage"]
    assert (measured["value"], measured["published"]) == (0.975, 0.9818)
    assert abs(measured["difference"] + 0.0068) < 1e-9
    assert (rows["mine", "x"]["published"], rows["mine", "x"]["difference"]) == (None, None)
    # Published, and measured by nobody.
    assert (rows["prediction", "coverage"]["value"], rows["prediction", "coverage"]["published"]) == (None, 0.9429)
    assert ("uk", "modelling", "coverage", "0.975", "0.9818", "-0.0068", "arXiv 2312.09384 v3") in report.tables[0].rows


def test_what_several_results_have_alike_is_said_once():
    other = replace(RESULT, metrics={"modelling": {"coverage": 0.975, "points": 331}})
    rows = [(row["split"], row["metric"], row["value"]) for row in
            table_report("gp_epidemics", (RESULT, other)).data["rows"] if row["value"] is not None]
    assert sorted(rows) == [("mine", "x", 1.5), ("modelling", "coverage", 0.975), ("modelling", "points", 330),
                            ("modelling", "points", 331)]


def test_bars():
    bench = Bench(dataset="uk", minutes=1, bars=(Bar(split="mine", metric="x", least=1, most=2),
                                                 Bar(split="mine", metric="y", least=1)))
    report = bench_report((Measured(name="gp_epidemics", bench=bench, result=RESULT),))
    assert violations("bench-workloads", report) == []
    assert [row[-3:] for row in report.tables[0].rows] == [("1.5", "1 to 2", "met"), ("", "at least 1", "missed")]
    assert report.data["bars"][1]["most"] is None
