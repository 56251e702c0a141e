"""`cortado workload` and `cortado bench workloads` through the real command line."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from jsonschema import Draft202012Validator

SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "schemas" / "workload-run.schema.json").read_text())
SMALL = ("--set", "smoothing=3", "--set", "lag=2", "--set", "window=12", "--set", "horizon=5", "--set",
         "baselines=false")


@pytest.fixture
def series(tmp_path) -> str:
    path = tmp_path / "own.csv"
    days = np.arange(30)
    path.write_text("day,cases\n" + "\n".join(f"{day},{value}" for day, value in zip(
        days, 100 * np.exp(np.sin(days / 5)), strict=True)))
    return str(path)


def test_a_run_on_a_file_of_ones_own(cortado, series):
    run = ("workload", "run", "gp_epidemics", "--data", series, "--column", "cases", *SMALL)
    ended = cortado(*run)
    assert (ended.code, ended.err) == (0, "")
    assert re.search(r"^modelling +coverage +[\d.]+$", ended.out, re.MULTILINE)
    assert Path("runs/gp_epidemics/own/prediction.png").is_file()
    again = cortado(*run, "--out", "other", "--json")
    assert list(Draft202012Validator(SCHEMA).iter_errors(again.json)) == []
    record = json.loads(Path("other/result.json").read_text())
    assert record["metrics"] == again.json["metrics"]
    assert record["metrics"] == json.loads(Path("runs/gp_epidemics/own/result.json").read_text())["metrics"]
    shown = cortado("workload", "table", "gp_epidemics", "--results", "other")
    # What is measured on other data stands beside nothing.
    assert re.search(r"^own +modelling +coverage +[\d.]+ *$", shown.out, re.MULTILINE)
    assert re.search(r"^uk +modelling +coverage +0\.9818 +arXiv 2312\.09384 v3 *$", shown.out, re.MULTILINE)


def test_list(cortado):
    ended = cortado("workload", "list")
    assert (ended.code, ended.err) == (0, "")
    assert {"dagcn", "gp_epidemics"} <= {line.split()[0] for line in ended.out.splitlines() if line}


def test_ctrl_c_and_resume(real_files, tmp_path):
    command = [sys.executable, "-m", "cortado", "workload", "run", "dagcn", "--set", "methods=gcn_mean", "--set",
               "folds=1", "--set", "epochs=20", "--out", "run"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path)
    while not list((tmp_path / "run" / "snapshots").glob("*.solverstate")) and process.poll() is None:
        pass
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=120)
    assert (process.returncode, out) == (130, "")
    assert err == "stopped; the same command with --resume goes on in run\n\ninterrupted\n"
    whole = subprocess.run([*command[:-1], "whole", "--json"], capture_output=True, text=True, cwd=tmp_path, check=True)
    resumed = subprocess.run([*command, "--resume", "--json"], capture_output=True, text=True, cwd=tmp_path, check=True)
    assert json.loads(resumed.stdout)["metrics"] == json.loads(whole.stdout)["metrics"]


@pytest.mark.parametrize(("arguments", "code", "message"), [
    (("run", "gp"), 2, "Error: Invalid value for 'NAME': unknown workload 'gp'"),
    (("run", "dagcn", "--set", "epochs"), 2, ("Error: Invalid value for '--set': 'epochs' must be a setting and its "
                                              "value, as in smoothing=7")),
    (("run", "dagcn", "--set", "epochs=1", "--set", "epochs=2"), 2,
     "Error: Invalid value for '--set': setting 'epochs' must be given once"),
    (("run", "dagcn", "--data", "x.csv"), 1, "error: workload 'dagcn': unknown setting 'data'"),
    (("run", "gp_epidemics", "--data", "x.csv", "--set", "data=y.csv"), 2,
     "Error: --data and --set data=... must not say different things"),
    (("run", "gp_epidemics", "--dataset", "own"), 1,
     "error: workload 'gp_epidemics': dataset 'own' is that of --data FILE, and of it alone"),
    (("run", "gp_epidemics", "--data", "x.csv"), 1,
     "error: x.csv: the file cannot be read: No such file or directory"),
    (("run", "gp_epidemics", "--device", "golden"), 1,
     "error: workload 'gp_epidemics': none of its layers is one the FPGA engine takes; leave the device out"),
    (("run", "dagcn", "--resume"), 1,
     "error: workload 'dagcn': 'runs/dagcn/mutag' must hold a run to resume, there is none"),
    (("run", "dagcn", "--dataset", "imdb"), 1,
     "error: workload 'dagcn': dataset must be one of mutag, ptc, enzymes, proteins, nci1, nci109, not 'imdb'"),
])
def test_what_is_refused(cortado, arguments, code, message):
    ended = cortado("workload", *arguments)
    assert (ended.code, ended.out) == (code, "")
    assert ended.err.splitlines()[-1].startswith(message)


def test_data_that_is_not_here(cortado, monkeypatch, tmp_path):
    monkeypatch.setenv("CORTADO_DATA", str(tmp_path / "none"))
    ended = cortado("workload", "run", "dagcn")
    assert (ended.code, ended.out) == (1, "")
    assert ended.err == (f"error: data file 'mutag/MUTAG.txt' must be in {tmp_path / 'none'}, it is not there; cortado "
                         "data get mutag fetches it\n")


def test_benches(cortado, monkeypatch):
    from cortado.workloads.figure import Bar
    from cortado.workloads.gp_epidemics.recipe import GpEpidemics
    from cortado.workloads.workload import Bench

    settings = {"window": 12, "horizon": 100, "baselines": False}
    bars = (Bar(split="modelling", metric="coverage", least=0.9), Bar(split="modelling", metric="coverage", least=1.1))
    monkeypatch.setattr(GpEpidemics, "benches", (Bench(dataset="uk", minutes=0.1, settings=settings, bars=bars),))
    ended = cortado("bench", "workloads", "gp_epidemics")
    assert ended.code == 1
    assert [line.split()[-1] for line in ended.out.splitlines()[2:]] == ["met", "missed"]
    assert ended.err == "error: bench workloads: every bar must be met, 1 are not; the report says which\n"
